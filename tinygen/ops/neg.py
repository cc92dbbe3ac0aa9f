"""NEG: the negative value, float32 and stored integers."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.elementwise import Elementwise, elementwise, plain, reading, real, tabled
from tinygen.ops.lut import every_value


class Neg(Elementwise):
    """y = -x, where TFLite Micro knows float32 only.

    LiteRT takes integers as they are stored, whatever their scales and zero points; the least
    value stays what it is.
    """

    __slots__ = ()
    kind: ClassVar[str] = "NEG"


def negative(op: Neg, x: Array) -> Array:
    """Source: TFLite's reference_ops::Negate."""
    del op
    return np.asarray(-x, x.dtype)


def table(op: Neg) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return negative(op, every_value(op.x.dtype).astype(np.int8))


NEG = elementwise(
    Neg,
    reading(Neg),
    tabled(table, plain=True),
    plain(DType.INT16, "tg_neg_s16", negative),
    plain(DType.INT32, "tg_neg_s32", negative),
    plain(DType.INT64, "tg_neg_s64", negative),
    real("tg_neg_f32", negative),
)
