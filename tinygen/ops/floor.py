"""FLOOR: the next whole number below, float32."""

from typing import ClassVar

import numpy as np

from tinygen.ops.elementwise import Elementwise, elementwise, reading, real


class Floor(Elementwise):
    """y = floor(x)."""

    __slots__ = ()
    kind: ClassVar[str] = "FLOOR"


FLOOR = elementwise(Floor, reading(Floor), real("tg_floor_f32", lambda op, x: np.floor(x)))
