"""COS: the cosine of radians, float32."""

from typing import ClassVar

import numpy as np

from tinygen.ops.elementwise import Elementwise, curve, elementwise, reading


class Cos(Elementwise):
    """y = cos(x)."""

    __slots__ = ()
    kind: ClassVar[str] = "COS"


COS = elementwise(Cos, reading(Cos), curve("tg_cos_f32", np.cos))
