"""SELECT, SELECT_V2, LOGICAL_AND, LOGICAL_OR, LOGICAL_NOT, CAST and ZEROS_LIKE."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import plain, quantized
from firmware_tests.kernels.test_strided import listed, moved, tensor
from tinygen import reference
from tinygen.ir import DType, Graph, Numerics, Op
from tinygen.ops import definition_of
from tinygen.ops.cast import SHORT, TARGETS, Cast
from tinygen.ops.logical import Logical
from tinygen.ops.logical_and import LogicalAnd
from tinygen.ops.logical_not import LogicalNot
from tinygen.ops.logical_or import LogicalOr
from tinygen.ops.select import Select
from tinygen.ops.select_v2 import SelectV2
from tinygen.ops.zeros_like import ZerosLike

Sizes = tuple[int, ...]


def select(name: str, shapes: tuple[Sizes, Sizes, Sizes], dtype: DType = DType.INT8) -> SelectV2:
    condition = plain(f"{name}_c", shapes[0], DType.BOOL)
    a, b = (tensor(f"{name}_{i}", shape, dtype) for i, shape in zip("ab", shapes[1:], strict=True))
    y = tensor(name, np.broadcast_shapes(*shapes), dtype)
    return SelectV2(name, (condition, a, b), (y,))


def select_rows(name: str, condition: Sizes, shape: Sizes, dtype: DType = DType.INT8) -> Select:
    """SELECT, which takes one value of the condition for each row as well."""
    a, b, y = (tensor(name + end, shape, dtype) for end in ("_a", "_b", ""))
    return Select(name, (plain(f"{name}_c", condition, DType.BOOL), a, b), (y,))


def logical(kind: type[Logical], name: str, first: Sizes, second: Sizes) -> Op:
    a, b = plain(f"{name}_a", first, DType.BOOL), plain(f"{name}_b", second, DType.BOOL)
    return kind(name, (a, b), (plain(name, np.broadcast_shapes(first, second), DType.BOOL),))


def truths() -> Iterator[Op]:
    yield select("select", ((2, 9), (2, 9), (2, 9)))
    yield select("select_rows", ((3, 1, 1), (1, 4, 5), (3, 4, 1)))
    yield select("select_four", ((2, 1, 2, 1), (1, 3, 1, 2), (2, 3, 2, 1)))
    yield select("select_wide", ((7,), (), (7,)), DType.FLOAT32)
    for kind in (LogicalAnd, LogicalOr):
        yield logical(kind, f"{kind.kind.lower()}", (3, 7), (3, 7))
        yield logical(kind, f"{kind.kind.lower()}_broadcast", (1, 7), (2, 3, 1))
    yield moved(LogicalNot, "not", (3, 5), (3, 5), dtype=DType.BOOL)


def casts() -> Iterator[Op]:
    for x in SHORT:
        for y in TARGETS:
            name = f"{SHORT[x]}_{SHORT[y]}"
            yield Cast(name, (tensor(f"{name}_x", (7,), x),), (tensor(name, (7,), y),))


def zeros() -> Iterator[Op]:
    for dtype in (DType.INT8, DType.INT32, DType.FLOAT32):
        yield moved(ZerosLike, f"zeros_{dtype.value}", (2, 5), (2, 5), dtype=dtype)


SELECTED = tuple(truths())
OLD = (
    select_rows("old", (2, 3), (2, 3)),
    select_rows("old_rows", (3,), (3, 2, 4), DType.INT32),
    select_rows("old_vector", (4,), (4,), DType.FLOAT32),
    select_rows("old_one", (), (2, 3), DType.BOOL),
)
CASTS = tuple(casts())
CASES: tuple[Op, ...] = (*SELECTED, *OLD, *CASTS, *tuple(zeros())[:2])


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *zeros()))


def test_any_type_is_selected() -> None:
    check_native(
        select(t.value, ((3, 1), (1, 4), (3, 4)), t)
        for t in (DType.INT16, DType.INT64, DType.BOOL, DType.UINT8)
    )


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    # LiteRT has no ZEROS_LIKE for int8.
    known = tuple(zeros())[numerics is Numerics.LITERT :]
    old = OLD if numerics is Numerics.LITERT else ()  # TFLite Micro has no SELECT
    # TFLite Micro casts from and to fewer types.
    both = [op for op in CASTS if {op.x.dtype, op.y.dtype}.isdisjoint((DType.INT64, DType.UINT8))]
    small = [op for op in both if op.y.dtype is not DType.BOOL]
    casts = small if numerics is Numerics.TFLM else CASTS
    assert_interpreter_agrees((*SELECTED, *old, *casts, *known), numerics)


def test_floats_beyond_the_type_saturate() -> None:
    x = np.array([3e9, -3e9, np.nan, np.inf, -np.inf, 127.9, -128.9, 2.0**31, -(2.0**31)])
    wanted = {
        DType.INT8: [127, -128, 0, 127, -128, 127, -128, 127, -128],
        DType.INT32: [2**31 - 1, -(2**31), 0, 2**31 - 1, -(2**31), 127, -128, 2**31 - 1, -(2**31)],
    }
    for dtype, results in wanted.items():
        given = plain("x", (len(x),), DType.FLOAT32)
        y = tensor("y", (len(x),), dtype)
        graph = Graph("cast", (given,), (y,), (Cast("y", (given,), (y,)),))
        (found,) = reference.run(graph, (x.astype(np.float32),))
        assert found.tolist() == results
        assert saturated(dtype, x.astype(np.float32)) == results


def saturated(dtype: DType, values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[int]:
    """What the C kernel makes of a constant, beside an input that keeps the program going."""
    constant = listed("constant", values, DType.FLOAT32)
    y = tensor("y", values.shape, dtype)
    op = Cast("y", (constant,), (y,))
    check_native([op, moved(LogicalNot, "not", (1,), (1,), dtype=DType.BOOL)], count=1)
    (found,) = definition_of(op).reference(op, (values,))
    return [int(v) for v in found]


def test_what_is_no_truth_value_is_refused() -> None:
    op = select("select", ((2,), (2,), (2,)))
    number = quantized("c", (2,), 1.0, 0)
    assert "bool" in definition_of(op).violations(replace(op, inputs=(number, op.a, op.b)))[0]
    other = plain("b", (2,), DType.INT32)
    assert (
        "one type" in definition_of(op).violations(replace(op, inputs=(*op.inputs[:2], other)))[0]
    )
    both = logical(LogicalAnd, "and", (2,), (2,))
    assert "bool" in definition_of(both).violations(replace(both, inputs=(number, number)))[0]
