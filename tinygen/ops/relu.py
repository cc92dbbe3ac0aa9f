"""RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1 as operators of their own."""

import math
from typing import ClassVar, TypeVar

import numpy as np

from tinygen.ir import Array, DType, Numerics
from tinygen.ops.base import Call, Kernel, OpDef
from tinygen.ops.elementwise import (
    Elementwise,
    Floats,
    Typed,
    elementwise,
    reading,
    real,
    tabled,
)
from tinygen.ops.lut import clamp_kernel, every_value
from tinygen.ops.unary import ratio_of_scales, scale_in_range
from tinygen.quant import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantized_limits,
)

C = TypeVar("C", bound="Clamp")
IDENTITY = quantize_multiplier(1.0)  # changes no value


class Clamp(Elementwise):
    """y = min(max(x, low), high)."""

    __slots__ = ()
    limits: ClassVar[tuple[float, float]]


class Relu(Clamp):
    """y = max(x, 0)."""

    __slots__ = ()
    kind: ClassVar[str] = "RELU"
    limits: ClassVar[tuple[float, float]] = (0.0, math.inf)


class Relu6(Clamp):
    """y = min(max(x, 0), 6).

    TFLite Micro limits the input in its own quantization and copies it; LiteRT rescales to the
    output's.
    """

    __slots__ = ()
    kind: ClassVar[str] = "RELU6"
    limits: ClassVar[tuple[float, float]] = (0.0, 6.0)


class ReluN1To1(Clamp):
    """y = min(max(x, -1), 1), as LiteRT has it; TFLite Micro has none."""

    __slots__ = ()
    kind: ClassVar[str] = "RELU_N1_TO_1"
    limits: ClassVar[tuple[float, float]] = (-1.0, 1.0)


class Relu0To1(Clamp):
    """y = min(max(x, 0), 1), as LiteRT has it; TFLite Micro has none."""

    __slots__ = ()
    kind: ClassVar[str] = "RELU_0_TO_1"
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)


def is_copied(op: Clamp) -> bool:
    """Whether values are limited in the input's quantization, and not rescaled."""
    return isinstance(op, Relu6) and op.numerics is Numerics.TFLM


def rescaling(op: Clamp) -> tuple[int, int]:
    """(multiplier, shift) from the input's scale to the output's."""
    if is_copied(op):
        return IDENTITY
    shared = isinstance(op, Relu | Relu6)
    return quantize_multiplier(ratio_of_scales(op, op.numerics if shared else Numerics.LITERT))


def results(op: Clamp, x: Array) -> Array:
    """What becomes of quantized values. Source: TFLite's ``ReluQuantized``, ``QuantizedReluX``."""
    domain = op.x if is_copied(op) else op.y
    offsets = x.astype(np.int64) - op.x.zero_point
    scaled = multiply_by_quantized_multiplier(offsets, *rescaling(op))
    low, high = quantized_limits(*op.limits, domain)
    # The lower bound is applied first: where both lie outside the type, the upper one wins.
    bounded = np.maximum(scaled.astype(np.int64) + domain.zero_point, low)
    return np.minimum(bounded, high).astype(op.y.dtype.numpy)


def table(op: Clamp) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return results(op, every_value(DType.INT8))


def lower(op: Clamp) -> tuple[Call, ...]:
    """The call of ``tg_rescale_value_s16``."""
    multiplier, shift = rescaling(op)
    low, high = quantized_limits(*op.limits, op.x if is_copied(op) else op.y)
    params = (
        ("multiplier", multiplier),
        ("shift", shift),
        ("output_min", low),
        ("output_max", high),
    )
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


def limited(op: Clamp, x: Floats) -> Array:
    """float32 results; NaN stays."""
    low, high = (np.float32(limit) for limit in op.limits)
    return np.where(x > high, high, np.where(x < low, low, x))


def definition(op: type[C], function: str, *wide: Typed[C]) -> OpDef[C]:
    """The operator, with the C ``function`` for float32, and int16 where it takes that."""
    narrow: Typed[C] = tabled(table, scale_in_range, first=(clamp_kernel(table),))
    return elementwise(op, reading(op), narrow, *wide, real(function, limited))


ROW: Kernel[Clamp] = Kernel(
    "tg_rescale_value_s16", "tg_rescale_s16.h", "tg_rescale_s16", lower, in_place=True
)
WIDE: Typed[Clamp] = Typed(DType.INT16, results, (ROW,), (scale_in_range,))
RELU = definition(Relu, "tg_relu_f32", WIDE)
RELU6 = definition(Relu6, "tg_relu6_f32", WIDE)
RELU_N1_TO_1 = definition(ReluN1To1, "tg_relu_n1_to_1_f32")
RELU_0_TO_1 = definition(Relu0To1, "tg_relu_0_to_1_f32")
