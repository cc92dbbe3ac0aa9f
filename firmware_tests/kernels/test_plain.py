"""Operators with two inputs on float32 and on whole numbers without a scale."""

from collections.abc import Iterator, Sequence

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
from firmware_tests.kernels.tensors import plain
from tinygen.compile import Options
from tinygen.ir import Activation, Array, DType, Numerics, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.add import Add
from tinygen.ops.atan2 import Atan2
from tinygen.ops.binary import Binary
from tinygen.ops.div import Div
from tinygen.ops.floor_div import FloorDiv
from tinygen.ops.floor_mod import FloorMod
from tinygen.ops.maximum import Maximum
from tinygen.ops.minimum import Minimum
from tinygen.ops.mul import Mul
from tinygen.ops.pow import Pow
from tinygen.ops.prelu import Prelu
from tinygen.ops.squared_difference import SquaredDifference
from tinygen.ops.sub import Sub
from tinygen.select import best

Shape = tuple[int, ...]
SHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3, 5), (3, 1)),
    ((3, 1), (2, 3, 5)),
    ((17,), (17,)),
    ((2, 1, 4, 1), (1, 3, 1, 5)),
)
CLAMPS = (Activation.RELU6, Activation.NONE, Activation.RELU_N1_TO_1, Activation.RELU)
F32, S8, U8, S16, S32, S64 = (
    DType.FLOAT32, DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64,
)  # fmt: skip
# Every type of an operator, and those that only LiteRT has.
TYPES: dict[type[Binary], tuple[tuple[DType, ...], tuple[DType, ...]]] = {
    Add: ((F32, S32, S64), (S64,)),
    Sub: ((F32, S32, S64), (S64,)),
    Mul: ((F32, S32, S64), (S64,)),
    Div: ((F32, S32), ()),
    FloorDiv: ((F32, S8, S16, S32), (S8, S16, S32)),
    FloorMod: ((F32, S8, S16, S32, S64), (S8, S16, S32, S64)),
    Maximum: ((F32, U8, S16, S32, S64), (U8,)),
    Minimum: ((F32, U8, S16, S32, S64), (U8,)),
    SquaredDifference: ((F32, S32), ()),
    Prelu: ((F32,), ()),
    Pow: ((F32, S32), (F32, S32)),
    Atan2: ((F32,), (F32,)),
}
ACTIVATED = (Add, Sub, Mul, Div)
DIVIDING: tuple[type[Binary], ...] = (Div, FloorDiv, FloorMod)


def divisors(shape: Shape, dtype: DType, rng: np.random.Generator) -> Array:
    """Numbers but zero, and but -1, which stops the references where it divides the lowest one."""
    if dtype is F32:
        return rng.choice((-7.5, -0.3, 0.7, 3.0, 1e-3), shape).astype(np.float32)
    return rng.choice((-100, -7, -2, 1, 2, 3, 100), shape).astype(dtype.numpy)


def drawn(kind: type[Binary], dtype: DType, index: int, fixed: bool = True) -> Binary:
    """A case: shapes and activations in turn. What divides is constant if ``fixed``, else drawn."""
    first, second = SHAPES[index % len(SHAPES)]
    second = first if kind is Atan2 else second
    name = f"{kind.kind.lower()}_{dtype.value}_{index}"
    a, b = plain(f"{name}_a", first, dtype), plain(f"{name}_b", second, dtype)
    if kind in DIVIDING and fixed:
        rng = np.random.default_rng((index, list(TYPES).index(kind)))
        b = Tensor(f"{name}_by", second, dtype, None, divisors(second, dtype, rng))
    clamp = CLAMPS[index % len(CLAMPS)] if kind in ACTIVATED else Activation.NONE
    # TFLite Micro's ADD of int32 does not look at it.
    clamp = Activation.NONE if (kind, dtype) == (Add, S32) else clamp
    if kind is Prelu:
        b = plain(b.name, tuple(1 if i % 2 else n for i, n in enumerate(first)), dtype)
    if (kind, dtype, fixed) == (Pow, S32, True):  # any base, and nothing that is too large
        data = np.arange(b.elements, dtype=np.int32).reshape(second) % 2
        b = Tensor(f"{name}_exponent", second, dtype, None, data)
    y = plain(name, first if kind is Prelu else np.broadcast_shapes(first, second), dtype)
    return kind(name, (a, b), (y,), clamp)


def several(indices: Sequence[int], *, fixed: bool = True) -> Iterator[Binary]:
    for kind, (types, _) in TYPES.items():
        for dtype in types:
            yield from (drawn(kind, dtype, index, fixed) for index in indices)


def known_to(numerics: Numerics, op: Binary) -> bool:
    """Whether that interpreter has the operator for this type."""
    return numerics is Numerics.LITERT or op.y.dtype not in TYPES[type(op)][1]


CASES: tuple[Binary, ...] = tuple(several((0,)))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *several((1, 2)), *several((3,), fixed=False)))


def edges(dtype: DType) -> Array:
    """Values where arithmetic is special; no NaN, whose sign processors choose."""
    if dtype is F32:
        tiny, huge = np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max
        listed = (0.0, -0.0, 1.0, -3.0, 0.1, tiny, -tiny, huge, -huge, 2.0**24 + 2, -7.3e-20)
        return np.array(listed, np.float32)
    info = np.iinfo(dtype.numpy)
    whole = {0, 1, 2, 7, info.max, info.max - 1, info.min, info.min + 1, -1, -3}
    return np.array(sorted(v for v in whole if v >= info.min), dtype.numpy)


def test_all_pairs_of_special_values_give_the_references_bytes() -> None:
    by_type: dict[DType, list[Op]] = {}
    for kind, (types, _) in TYPES.items():
        for dtype in types:
            count = len(edges(dtype))
            name = f"{kind.kind.lower()}_{dtype.value}"
            a, b, y = (plain(name + end, (count, count), dtype) for end in ("_a", "_b", ""))
            by_type.setdefault(dtype, []).append(kind(y.name, (a, b), (y,), Activation.NONE))
    for dtype, ops in by_type.items():
        values = edges(dtype)
        pair = [np.ascontiguousarray(v) for v in np.meshgrid(values, values, indexing="ij")]
        # Zero by zero, and what is left of anything by zero, is no number.
        pair[1][(pair[1] == 0) & (dtype is F32)] = 0.5
        graph = graph_of(ops)
        inputs = [pair * len(ops)]
        program = compile_cases(graph, ALL_ISAS, Options(), best)
        assert_equal(graph, inputs, run_native(program, inputs), expected(graph, inputs))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    ops = (op for op in several(range(len(SHAPES))) if known_to(numerics, op))
    assert_interpreter_agrees(ops, numerics)


def test_types_without_a_reference_are_refused() -> None:
    for kind in TYPES:
        (found,) = definition_of(drawn(kind, F32, 0)).violations(drawn(kind, DType.BOOL, 0))
        assert "bool" in found
