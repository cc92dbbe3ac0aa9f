"""REDUCE_MAX, REDUCE_MIN, ARG_MAX and ARG_MIN: every axis of several shapes."""

from dataclasses import replace

import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import plain, quantized
from firmware_tests.kernels.test_mean import every_axes, mean
from tinygen.ir import DType, Numerics, Op
from tinygen.ops import definition_of
from tinygen.ops.arg_max import ArgMax
from tinygen.ops.arg_min import ArgMin
from tinygen.ops.mean import Mean
from tinygen.ops.places import ArgExtreme
from tinygen.ops.reduce_max import ReduceMax
from tinygen.ops.reduce_min import ReduceMin

REDUCTIONS: tuple[type[Mean], ...] = (ReduceMax, ReduceMin)
PLACES: tuple[type[ArgExtreme], ...] = (ArgMax, ArgMin)
SHAPES = ((7,), (3, 5), (2, 3, 4), (2, 3, 4, 3))


def reduction(kind: type[Mean], index: int) -> Mean:
    axes = (*every_axes(4), *every_axes(3))[index % 22]
    op = mean((2, 5, 3, 4) if index % 22 < 15 else (3, 8, 2), axes, index % 2 == 0, index)
    name = f"{kind.kind.lower()}{index}"
    y = replace(op.y, name=name, quant=op.x.quant)
    return kind(name, op.inputs, (y,), op.axes, op.keep_dims)


def place(kind: type[ArgExtreme], shape: tuple[int, ...], axis: int) -> ArgExtreme:
    name = f"{kind.kind.lower()}_{len(shape)}_{axis}"
    x = quantized(f"{name}_x", shape, 0.1, 3)
    y = plain(name, (*shape[:axis], *shape[axis + 1 :]), DType.INT32)
    return kind(name, (x,), (y,), axis)


ALL: tuple[Op, ...] = (
    *(reduction(kind, index) for kind in REDUCTIONS for index in range(22)),
    *(place(kind, s, axis) for kind in PLACES for s in SHAPES for axis in range(len(s))),
)
CASES: tuple[Op, ...] = (*ALL[:44:9], *ALL[44::4])


def test_every_row_gives_the_references_bytes() -> None:
    check_native(ALL)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(ALL, numerics)


def test_an_output_of_another_kind_is_refused() -> None:
    op = reduction(ReduceMax, 0)
    y = quantized("y", op.y.shape, 3.0, 0)
    assert "QUANTIZE" in definition_of(op).violations(replace(op, outputs=(y,)))[0]
    arg = place(ArgMax, (3, 5), 1)
    wide = plain("y", arg.y.shape, DType.INT64)
    assert "int32" in definition_of(arg).violations(replace(arg, outputs=(wide,)))[0]
