"""Reductions of stored values, ARG_MAX and ARG_MIN: every axis of several shapes."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    ALL_ISAS,
    check_native,
    compile_cases,
    graph_of,
    run_native,
)
from firmware_tests.kernels.retyped import retyped, retyped_tensor
from firmware_tests.kernels.tensors import plain, quantized
from firmware_tests.kernels.test_mean import every_axes, mean
from firmware_tests.kernels.widened import widened
from firmware_tests.models.writer import to_tflite
from tinygen import reference
from tinygen.compile import Options
from tinygen.interpreters import run_reference
from tinygen.ir import DType, Numerics, Op
from tinygen.ops import definition_of
from tinygen.ops.arg_max import ArgMax
from tinygen.ops.arg_min import ArgMin
from tinygen.ops.mean import Mean
from tinygen.ops.places import ArgExtreme
from tinygen.ops.reduce_all import ReduceAll
from tinygen.ops.reduce_any import ReduceAny
from tinygen.ops.reduce_max import ReduceMax
from tinygen.ops.reduce_min import ReduceMin
from tinygen.ops.reduce_prod import ReduceProd
from tinygen.select import best

REDUCTIONS: tuple[type[Mean], ...] = (ReduceMax, ReduceMin)
PLACES: tuple[type[ArgExtreme], ...] = (ArgMax, ArgMin)
SHAPES = ((7,), (3, 5), (2, 3, 4), (2, 3, 4, 3))


def reduction(kind: type[Mean], index: int) -> Mean:
    axes = (*every_axes(4), *every_axes(3))[index % 22]
    op = mean((2, 5, 3, 4) if index % 22 < 15 else (3, 8, 2), axes, index % 2 == 0, index)
    name = f"{kind.kind.lower()}{index}"
    y = replace(op.y, name=name, quant=op.x.quant)
    return kind(name, op.inputs, (y,), op.axes, op.keep_dims)


def place(
    kind: type[ArgExtreme],
    shape: tuple[int, ...],
    axis: int,
    dtype: DType = DType.INT8,
    index: DType = DType.INT32,
) -> ArgExtreme:
    name = f"{kind.kind.lower()}_{len(shape)}_{axis}_{dtype.value}_{index.value}"
    x = quantized(f"{name}_x", shape, 0.1, 3)
    x = x if dtype is DType.INT8 else retyped_tensor(x, dtype)
    y = plain(name, (*shape[:axis], *shape[axis + 1 :]), index)
    return kind(name, (x,), (y,), axis)


ALL: tuple[Op, ...] = (
    *(reduction(kind, index) for kind in REDUCTIONS for index in range(22)),
    *(place(kind, s, axis) for kind in PLACES for s in SHAPES for axis in range(len(s))),
)
TYPED: tuple[Op, ...] = tuple(
    retyped(reduction(kind, index), dtype)
    for kind in (ReduceMax, ReduceMin, ReduceProd, ReduceAll, ReduceAny)
    for dtype in definition_of(reduction(kind, 0)).dtypes
    for index in (3, 5, 18)
    if dtype is not DType.INT8
)
PLACED: tuple[ArgExtreme, ...] = tuple(
    place(kind, (2, 3, 4), number % 3, dtype, index)
    for kind in PLACES
    for number, dtype in enumerate(definition_of(place(kind, (1,), 0)).dtypes)
    for index in (DType.INT32, DType.INT64)
)


def product(index: int) -> Op:
    """Scales at which products of so many factors fill the output, and others."""
    op = reduction(ReduceProd, index)
    filled = op.count * np.log2(op.x.scale * 90) - np.log2(100)
    scale = 2.0 ** float(np.clip(filled, -26, 19)) if index % 3 else op.x.scale
    y = quantized(op.y.name, op.y.shape, scale, (7, -128, 0)[index % 3])
    return replace(op, outputs=(y,))


PRODUCTS: tuple[Op, ...] = tuple(product(index) for index in range(22))
PRODUCTS += widened(PRODUCTS)
CASES: tuple[Op, ...] = (*PRODUCTS[::7], *ALL[:44:9], *ALL[44::4], *TYPED[1::3], *PLACED)


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*ALL, *TYPED, *PLACED, *PRODUCTS))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    typed = (op for op in (*TYPED, *PLACED, *PRODUCTS) if has_kernel(op, numerics))
    assert_interpreter_agrees((*ALL, *typed), numerics)


def has_kernel(op: Op, numerics: Numerics) -> bool:
    """TFLite Micro reduces float32 to its extremes, and bool by REDUCE_ALL; its indices are int32,
    and those of int8 and float32 values alone."""
    if isinstance(op, ArgExtreme):
        some = op.x.dtype in (DType.INT8, DType.FLOAT32) and op.y.dtype is DType.INT32
        return some or numerics is Numerics.LITERT
    if numerics is Numerics.LITERT:
        return True
    kinds: dict[DType, tuple[type[Mean], ...]]
    kinds = {DType.FLOAT32: REDUCTIONS, DType.BOOL: (ReduceAll,)}
    return isinstance(op, kinds.get(op.x.dtype, ()))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_extremes_of_nan_and_infinity_are_the_interpreters(numerics: Numerics) -> None:
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.5], np.float32)
    rows = np.array([np.roll(values, i) for i in range(6)] + [[v] * 6 for v in values[:3]])
    x = plain("x", rows.shape, DType.FLOAT32)
    ops: list[Op] = [
        kind(kind.kind, (x,), (plain(kind.kind, (9,), DType.FLOAT32),), (1,), False)
        for kind in REDUCTIONS
    ]
    for arg in PLACES if numerics is Numerics.TFLM else ():
        ops.append(arg(arg.kind, (x,), (plain(arg.kind, (9,), DType.INT32),), 1))
    graph = graph_of(ops)
    theirs = run_reference(to_tflite(graph), (rows[None],), numerics)
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    (ours,), mine = run_native(program, [(rows,)]), reference.run(graph, (rows,))
    for want, got, computed in zip(theirs, mine, ours, strict=True):
        assert got.tobytes() == want.tobytes() == computed.tobytes()


def test_an_output_of_another_kind_is_refused() -> None:
    op = reduction(ReduceMax, 0)
    y = quantized("y", op.y.shape, 3.0, 0)
    assert "QUANTIZE" in definition_of(op).violations(replace(op, outputs=(y,)))[0]
    arg = place(ArgMax, (3, 5), 1)
    wide = plain("y", arg.y.shape, DType.INT16)
    assert "int32" in definition_of(arg).violations(replace(arg, outputs=(wide,)))[0]
