"""PRELU, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE and DIV on int8 and int16."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import any_scale, any_zero_point, constant, quantized
from firmware_tests.kernels.weighted import CLAMPS
from firmware_tests.kernels.widened import widened
from tinygen.ir import Activation, DType, Numerics, QuantParams
from tinygen.ops.binary import Binary
from tinygen.ops.div import DIV, Div
from tinygen.ops.maximum import MAXIMUM, Maximum
from tinygen.ops.minimum import Minimum
from tinygen.ops.prelu import Prelu
from tinygen.ops.squared_difference import SquaredDifference

CLASSES: tuple[type[Binary], ...] = (Prelu, Maximum, Minimum, SquaredDifference, Div)
SHAPES = (
    ((1, 5, 7, 3), (1, 1, 3)),
    ((1, 5, 7, 3), (5, 7, 3)),
    ((33,), (33,)),
    ((2, 9), (1,)),
    ((2, 3, 4, 5), (1, 3, 1, 5)),
)


def drawn(kind: type[Binary], index: int) -> Binary:
    """A case of ``kind``: shapes in turn, quantization drawn, every other right side constant."""
    rng = np.random.default_rng((index, CLASSES.index(kind)))
    shapes = SHAPES[index % len(SHAPES)]
    scale, zero = any_scale(rng), any_zero_point(rng)
    own, other = (scale, zero), (scale, zero)
    if kind is Prelu:
        other = (any_scale(rng, 1e-4, 0.05), any_zero_point(rng))
        own = (scale * float(rng.choice((0.5, 1.0, 1.5, rng.uniform(0.3, 2)))), any_zero_point(rng))
    if kind is SquaredDifference:
        other = (scale * float(rng.uniform(0.1, 4)), any_zero_point(rng))
        step = max(scale, other[0]) ** 2 * float(rng.choice((0.5, 30, rng.uniform(10, 200))))
        own = (step, any_zero_point(rng))
    name = f"{kind.kind.lower()}{index}"
    a = quantized(f"{name}_a", shapes[0], scale, zero)
    b = quantized(f"{name}_b", shapes[1], *other)
    if index % 2:
        b = constant(f"{name}_c", b.shape, b.scale, b.zero_point, rng)
    operands = (b, a) if kind is not Prelu and index % 3 == 2 else (a, b)
    return kind(name, operands, (quantized(name, shapes[0], *own),), Activation.NONE)


def divided(index: int, dtype: DType) -> Div:
    """A case of DIV: no divisor is zero, nor any quotient so small that the reference's is
    undefined; every other dividend constant."""
    rng = np.random.default_rng((index, dtype.size))
    shapes = SHAPES[index % len(SHAPES)]
    name = f"div_{dtype.value}_{index}"
    info = np.iinfo(dtype.numpy)
    zeros = [any_zero_point(rng) if dtype is DType.INT8 else 0 for _ in range(3)]
    values = rng.integers(info.min, info.max + 1, shapes[1])
    values[values == zeros[1]] = zeros[1] + (1 if zeros[1] < info.max else -1)
    ratio = float(rng.uniform(2.0**7, 2.0**9) if dtype is DType.INT8 else 2.0**14.5)
    scale = any_scale(rng)
    a = quantized(f"{name}_a", shapes[0], scale * ratio, zeros[0], dtype=dtype)
    b = quantized(f"{name}_b", shapes[1], scale, zeros[1], values.astype(dtype.numpy), dtype)
    y = quantized(name, shapes[0], 1.0, zeros[2], dtype=dtype)
    return Div(name, (a, b), (y,), CLAMPS[index % len(CLAMPS)])


def wide_prelu(index: int, *, first: bool = False) -> Prelu:
    """PRELU on int16; ``first`` makes the input the constant, so that the operands are swapped."""
    rng = np.random.default_rng(index)
    name = f"prelu_wide_{index}_{first}"
    shape, other = SHAPES[2] if first else SHAPES[index % len(SHAPES)]
    data = rng.integers(-(2**15), 2**15, shape).astype(np.int16) if first else None
    a = quantized(f"{name}_a", shape, any_scale(rng), 0, data, DType.INT16)
    b = quantized(f"{name}_b", other, 1.5 / 127, any_zero_point(rng))
    y = quantized(name, shape, a.scale * float(rng.uniform(0.5, 1.5)), 0, dtype=DType.INT16)
    return Prelu(name, (a, b), (y,), Activation.NONE)


CASES: tuple[Binary, ...] = (
    *(drawn(kind, i) for kind in CLASSES if kind is not Div for i in range(4)),
    *(divided(index, dtype) for dtype in (DType.INT8, DType.INT16) for index in range(2)),
    divided(3, DType.INT8),  # by one number
    wide_prelu(0),
    wide_prelu(0, first=True),
    *widened([drawn(SquaredDifference, 1)]),
)
MORE = (
    *(drawn(kind, i) for kind in CLASSES if kind is not Div for i in range(4, 24)),
    *(divided(index, dtype) for dtype in (DType.INT8, DType.INT16) for index in range(2, 12)),
    *(wide_prelu(index) for index in range(1, 5)),
    *widened([drawn(SquaredDifference, i) for i in range(2, 24)]),
)
# What only one of the interpreters has.
ONLY_LITERT = {(Div, DType.INT16)}
ONLY_TFLM = {(SquaredDifference, DType.INT16)}


def unknown_to(numerics: Numerics, op: Binary) -> bool:
    only = ONLY_LITERT if numerics is Numerics.TFLM else ONLY_TFLM
    return (type(op), op.y.dtype) in only


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *MORE[::4]))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    known = (op for op in (*CASES, *MORE) if not unknown_to(numerics, op))
    asked = (replace(op, numerics=numerics) if isinstance(op, Prelu) else op for op in known)
    assert_interpreter_agrees(asked, numerics)


def test_divisors_that_no_reference_takes_give_the_numpy_twins_bytes() -> None:
    known = [divided(index, dtype) for dtype in (DType.INT8, DType.INT16) for index in range(4)]
    anything = [
        replace(op, inputs=(op.a, replace(op.b, data=None)), outputs=(replace(op.y, quant=q),))
        for op in known
        for q in (op.y.quant, QuantParams((1000.0,), (0,)))
    ]
    check_native(anything)


def test_a_constant_divisor_of_zero_is_refused() -> None:
    op = divided(0, DType.INT8)
    zeros = np.full(op.b.shape, op.b.zero_point, np.int8)
    (found,) = DIV.violations(replace(op, inputs=(op.a, replace(op.b, data=zeros))))
    assert "No element of a constant divisor is zero" in found


def test_values_of_two_scales_are_not_compared() -> None:
    a, b = quantized("a", (3,), 0.1, 0), quantized("b", (3,), 0.2, 0)
    (found,) = MAXIMUM.violations(Maximum("y", (a, b), (a,), Activation.NONE))
    assert "tensor 'b'" in found
