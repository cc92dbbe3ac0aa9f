"""The six comparisons: scales of all kinds, broadcasting, the operands in both orders."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    check_native,
    compile_cases,
    expected,
    graph_of,
    run_native,
)
from firmware_tests.kernels.tensors import any_scale, any_zero_point, constant, plain, quantized
from firmware_tests.kernels.widened import widened
from tinygen.compile import Options
from tinygen.ir import DType, Numerics, Tensor
from tinygen.ops import definition_of
from tinygen.ops.comparison import Comparison
from tinygen.ops.equal import Equal
from tinygen.ops.greater import Greater
from tinygen.ops.greater_equal import GreaterEqual
from tinygen.ops.less import Less
from tinygen.ops.less_equal import LessEqual
from tinygen.ops.not_equal import NotEqual
from tinygen.select import best

CLASSES: tuple[type[Comparison], ...] = (Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual)
SHAPES = (
    ((1, 5, 7, 3), (1, 1, 3)),
    ((33,), (33,)),
    ((1,), (2, 9)),
    ((2, 1, 4, 1), (1, 3, 1, 5)),
)


def drawn(kind: type[Comparison], index: int) -> Comparison:
    """A case on int8: shapes in turn, scales drawn or equal, every other right side constant."""
    rng = np.random.default_rng((index, CLASSES.index(kind)))
    name = f"{kind.kind.lower()}{index}"
    first, second = SHAPES[index % len(SHAPES)]
    scale = any_scale(rng, 1e-4, 0.9)
    zero = any_zero_point(rng)
    a = quantized(f"{name}_a", first, scale, zero)
    if index % 3 != 1:
        scale, zero = scale * float(rng.uniform(0.9, 1.1)), any_zero_point(rng)
    b = quantized(f"{name}_b", second, scale, zero)
    if index % 2:
        b = constant(f"{name}_c", second, b.scale, b.zero_point, rng)
    return compared(kind, name, a, b)


def compared(kind: type[Comparison], name: str, a: Tensor, b: Tensor) -> Comparison:
    y = plain(name, np.broadcast_shapes(a.shape, b.shape), DType.BOOL)
    return kind(name, (a, b), (y,))


def wide(kind: type[Comparison], dtype: DType) -> Comparison:
    """A case on plain values, half of the pairs equal if both are the vectors' extremes."""
    name = f"{kind.kind.lower()}_{dtype.value}"
    a, b = (plain(f"{name}_{side}", (3, 5), dtype) for side in "ab")
    return compared(kind, name, a, b)


def several(start: int, stop: int) -> tuple[Comparison, ...]:
    return tuple(drawn(kind, i) for kind in CLASSES for i in range(start, stop))


WIDE = tuple(
    wide(kind, dtype) for kind in CLASSES for dtype in kind.kernels() if dtype is not DType.INT16
)
INT16 = widened(several(0, 6))
CASES: tuple[Comparison, ...] = (
    *(drawn(kind, i) for i, kind in enumerate(CLASSES)),
    *WIDE,
    *INT16[::6],
)


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*several(0, 4), *WIDE, *INT16))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    only = INT16 if numerics is Numerics.LITERT else ()
    assert_interpreter_agrees((*several(0, 16), *WIDE, *only), numerics)


def test_a_nan_is_unequal_to_all_and_nothing_else() -> None:
    values = np.array([np.nan, 1.0, -np.inf, np.nan], np.float32)
    other = Tensor("other", (4,), DType.FLOAT32, None, values[::-1].copy())
    x = plain("x", (4,), DType.FLOAT32)
    ops = [kind(kind.kind, (x, other), (plain(kind.kind, (4,), DType.BOOL),)) for kind in CLASSES]
    graph = graph_of(ops)
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    (results,) = run_native(program, [[values]])
    assert_equal(graph, [[values]], [results], expected(graph, [[values]]))
    assert [int(result[[0, 3]].sum()) for result in results] == [0, 2, 0, 0, 0, 0]
    assert [bool(result[1]) for result in results] == [False, True, True, True, False, False]


def test_what_the_references_cannot_compare_is_refused() -> None:
    op = drawn(Less, 1)
    coarse = quantized("coarse", op.a.shape, 1.0, 0)
    assert "below 1" in definition_of(op).violations(replace(op, inputs=(coarse, op.b)))[0]
    mixed = plain("mixed", op.a.shape, DType.INT32)
    assert "int8" in definition_of(op).violations(replace(op, inputs=(op.a, mixed)))[0]
    assert "bool" in definition_of(op).violations(replace(op, outputs=(op.a,)))[0]
