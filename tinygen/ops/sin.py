"""SIN: the sine of radians, float32."""

from typing import ClassVar

import numpy as np

from tinygen.ops.elementwise import Elementwise, curve, elementwise, reading


class Sin(Elementwise):
    """y = sin(x)."""

    __slots__ = ()
    kind: ClassVar[str] = "SIN"


SIN = elementwise(Sin, reading(Sin), curve("tg_sin_f32", np.sin))
