"""ABS: the absolute value, int8, int16, int32 and float32."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel
from tinygen.ops.elementwise import (
    Elementwise,
    Typed,
    elementwise,
    plain,
    reading,
    real,
    tabled,
)
from tinygen.ops.lut import every_value
from tinygen.ops.unary import ratio_of_scales, scale_in_range
from tinygen.quant import dtype_range, multiply_by_quantized_multiplier, quantize_multiplier


class Abs(Elementwise):
    """y = |x|; int16 may be without quantization, and int32, which LiteRT alone has, is."""

    __slots__ = ()
    kind: ClassVar[str] = "ABS"


def multiplier_of(op: Abs) -> tuple[int, int]:
    """(multiplier, shift) of the ratio of scales; that of 1 changes no value."""
    return quantize_multiplier(ratio_of_scales(op, op.numerics))


def quantized(op: Abs, x: Array) -> Array:
    """Source: TFLite Micro's ``AbsEvalQuantized``."""
    values = np.abs(x.astype(np.int64) - op.x.zero_point)
    if op.x.scale != op.y.scale:
        values = multiply_by_quantized_multiplier(values, *multiplier_of(op)).astype(np.int64)
    results = np.clip(values + op.y.zero_point, *dtype_range(op.y.dtype))
    return np.asarray(results, op.y.dtype.numpy)


def table(op: Abs) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return quantized(op, every_value(DType.INT8))


def stored(op: Abs, x: Array) -> Array:
    """Of values without quantization; the least stays what it is."""
    del op
    return np.asarray(np.abs(x), x.dtype)


def is_bare(op: Abs) -> bool:
    """Whether the values are without quantization."""
    return op.x.quant is None


def lower(op: Abs) -> tuple[Call, ...]:
    """The call of ``tg_rescale_magnitude_s16``."""
    multiplier, shift = multiplier_of(op)
    low, high = dtype_range(op.y.dtype)
    params = (
        ("multiplier", multiplier),
        ("shift", shift),
        ("output_min", low),
        ("output_max", high),
    )
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


SCALED: Kernel[Abs] = Kernel(
    "tg_rescale_magnitude_s16",
    "tg_rescale_s16.h",
    "tg_rescale_s16",
    lower,
    fits=lambda op: not is_bare(op),
    in_place=True,
)
BARE = plain(DType.INT16, "tg_abs_plain_s16", stored, fits=is_bare)
WIDE = Typed(
    DType.INT16,
    lambda op, x: stored(op, x) if is_bare(op) else quantized(op, x),
    (SCALED, *BARE.kernels),
    (scale_in_range,),
    bare=True,
)
ABS = elementwise(
    Abs,
    reading(Abs),
    tabled(table, scale_in_range),
    WIDE,
    plain(DType.INT32, "tg_abs_s32", stored),
    real("tg_abs_f32", lambda op, x: np.abs(x)),
)
