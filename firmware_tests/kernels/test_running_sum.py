"""CUMSUM and ADD_N; TFLite Micro alone has them for int8."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.retyped import retyped
from firmware_tests.kernels.tensors import any_scale, any_zero_point, quantized
from tinygen.ir import DType, Numerics, Op
from tinygen.ops import definition_of
from tinygen.ops.add_n import AddN
from tinygen.ops.cumsum import PLAIN as PLAIN_TYPES
from tinygen.ops.cumsum import Cumsum

SHAPES = ((3, 5), (7,), (2, 3, 4), (2, 40, 3))


def cumsum(index: int) -> Cumsum:
    rng = np.random.default_rng((1, index))
    shape = SHAPES[index % len(SHAPES)]
    axis = int(rng.integers(0, len(shape)))
    x = quantized(f"cumsum{index}_x", shape, any_scale(rng), any_zero_point(rng))
    scale = x.scale * float(rng.choice((0.5, 1, 4, rng.uniform(0.3, 9))))
    y = quantized(f"cumsum{index}", shape, scale, any_zero_point(rng))
    return Cumsum(y.name, (x,), (y,), axis, bool(index & 1), bool(index & 2))


def added(index: int, count: int) -> AddN:
    rng = np.random.default_rng((2, index, count))
    shape = SHAPES[index % 3]
    name, scale, zero = f"add{index}_{count}", any_scale(rng), any_zero_point(rng)
    inputs = tuple(quantized(f"{name}_{i}", shape, scale, zero) for i in range(count))
    y = quantized(name, shape, scale * count * rng.uniform(0.4, 1.5), any_zero_point(rng))
    return AddN(name, inputs, (y,))


PLAIN = tuple(retyped(cumsum(i), dtype) for dtype in PLAIN_TYPES for i in range(4))
PLAIN_SUMS = tuple(
    retyped(added(0, count), dtype) for dtype in (DType.FLOAT32, DType.INT32) for count in (2, 3, 4)
)
CASES: tuple[Op, ...] = (
    *map(cumsum, range(4)),
    *PLAIN[::2],
    *(added(0, count) for count in (2, 3, 4)),
    *PLAIN_SUMS,
)
MORE: tuple[Op, ...] = (
    *map(cumsum, range(4, 40)),
    *(added(i, count) for i in range(1, 8) for count in (2, 3, 4)),
)


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *PLAIN[1::2], *MORE[::2]))


@pytest.mark.reference
def test_reference_is_tflite_micros() -> None:
    shared = [op for op in CASES if op.x.dtype in (DType.INT8, DType.FLOAT32)]
    assert_interpreter_agrees((*shared, *MORE), Numerics.TFLM)


@pytest.mark.reference
def test_reference_of_other_types_is_litert_s() -> None:
    assert_interpreter_agrees((*PLAIN, *PLAIN_SUMS), Numerics.LITERT)


def test_what_the_reference_does_not_add_is_refused() -> None:
    op = added(0, 2)
    other = quantized("other", op.y.shape, 9.0, 0)
    assert "scale" in definition_of(op).violations(replace(op, inputs=(op.x, other)))[0]
    many = replace(op, inputs=(op.x,) * 5)
    assert "two to four" in definition_of(op).violations(many)[0]
    fine = replace(op, outputs=(quantized("y", op.y.shape, op.x.scale / 2**20, 0),))
    assert "2**19" in definition_of(op).violations(fine)[0]
