"""CEIL: the next whole number above, float32."""

from typing import ClassVar

import numpy as np

from tinygen.ops.elementwise import Elementwise, elementwise, reading, real


class Ceil(Elementwise):
    """y = ceil(x)."""

    __slots__ = ()
    kind: ClassVar[str] = "CEIL"


CEIL = elementwise(Ceil, reading(Ceil), real("tg_ceil_f32", lambda op, x: np.ceil(x)))
