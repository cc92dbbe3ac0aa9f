"""What LOGISTIC and TANH share: the tables of their two references."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, Op, Tensor
from tinygen.ops.base import describe
from tinygen.ops.fixedpoint import Raw, input_radius
from tinygen.ops.lut import every_value
from tinygen.quant import (
    dtype_range,
    multiply_by_quantized_multiplier,
    round_half_away,
    rounding_divide_by_pot,
)

INPUT_INTEGER_BITS = 4


def standard_output(y: Tensor, scale: float, zero_point: int) -> str:
    """A rule's finding unless ``y`` has this quantization."""
    if y.quant is None:
        return ""  # another rule's finding
    return "" if (y.quant.scale, y.quant.zero_point) == ((scale,), (zero_point,)) else describe(y)


def input_scale(op: Op) -> str:
    """The input's scale is below 2**32.

    The reference kernels shift by more bits than there are beyond; convert the model anew.
    """
    if op.x.quant is None or op.x.quant.per_channel:
        return ""  # another rule's finding
    return "" if op.x.scale < 2**32 else describe(op.x)


def fixed_point_table(
    x: Tensor, y: Tensor, function: Callable[[Array, int], Raw], output_bits: int
) -> npt.NDArray[np.int8]:
    """``function`` in gemmlowp's fixed point, as TFLite Micro computes it.

    Source: reference_integer_ops::Logistic and Tanh: inputs beyond 16 saturate, to the lower end
    where one step of the input is beyond 16 already. Their ``Prepare`` splits the multiplier with
    frexp alone, without ``QuantizeMultiplier``'s limit on the shift.
    """
    low, high = dtype_range(y.dtype)
    mantissa, left_shift = math.frexp(x.scale * (1 << (31 - INPUT_INTEGER_BITS)))
    multiplier = round_half_away(mantissa * 2**31)
    radius = input_radius(INPUT_INTEGER_BITS, left_shift)
    offsets = every_value(x.dtype) - x.zero_point
    inside = np.abs(offsets) < radius
    scaled = multiply_by_quantized_multiplier(np.where(inside, offsets, 0), multiplier, left_shift)
    raw = function(scaled, INPUT_INTEGER_BITS)
    rounded = rounding_divide_by_pot(raw, 31 - output_bits).astype(np.int64) + y.zero_point
    results = np.where(inside, rounded, np.where(offsets <= -radius, low, high))
    return np.clip(results, low, high).astype(np.int8)


def float_table(
    x: Tensor, y: Tensor, function: Callable[[npt.NDArray[np.float64]], Array]
) -> npt.NDArray[np.int8]:
    """``function`` in float32, as LiteRT's reference kernel computes it.

    Source: LiteRT's LUTPopulate. Transcendental functions are taken in double and rounded, which
    is what a good libm's float functions return.
    """
    low, high = dtype_range(y.dtype)
    offsets = (every_value(x.dtype) - x.zero_point).astype(np.float32)
    real = function((np.float32(x.scale) * offsets).astype(np.float64)).astype(np.float32)
    rescaled = real * (np.float32(1) / np.float32(y.scale))
    rounded = [math.copysign(math.floor(abs(v) + 0.5), v) for v in rescaled.tolist()]
    return np.asarray(np.clip(np.array(rounded) + y.zero_point, low, high), np.int8)
