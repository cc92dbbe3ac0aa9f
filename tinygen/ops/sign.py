"""SIGN: -1, 0 or 1, float32 and int32."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.elementwise import Elementwise, elementwise, plain, reading, real


class Sign(Elementwise):
    """y = 1 for x > 0, -1 for x < 0, else 0, as LiteRT has it; TFLite Micro has no SIGN."""

    __slots__ = ()
    kind: ClassVar[str] = "SIGN"


def sign(op: Sign, x: Array) -> Array:
    """NaN is neither above nor below 0."""
    del op
    return np.asarray((x > 0).astype(x.dtype) - (x < 0).astype(x.dtype))


SIGN = elementwise(
    Sign, reading(Sign), plain(DType.INT32, "tg_sign_s32", sign), real("tg_sign_f32", sign)
)
