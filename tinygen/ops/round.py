"""ROUND: the nearest whole number, float32."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array
from tinygen.ops.elementwise import Elementwise, Floats, elementwise, reading, real


class Round(Elementwise):
    """y = the whole number next to x, halves to the even one."""

    __slots__ = ()
    kind: ClassVar[str] = "ROUND"


def nearest(op: Round, x: Floats) -> Array:
    """Source: TFLite's reference_ops::RoundToNearest; unlike rint(), it gives no -0."""
    del op
    return np.rint(x) + np.float32(0)


ROUND = elementwise(Round, reading(Round), real("tg_round_f32", nearest))
