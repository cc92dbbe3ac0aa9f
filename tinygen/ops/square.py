"""SQUARE: the square, float32."""

from typing import ClassVar

from tinygen.ops.elementwise import Elementwise, elementwise, reading, real


class Square(Elementwise):
    """y = x * x."""

    __slots__ = ()
    kind: ClassVar[str] = "SQUARE"


SQUARE = elementwise(Square, reading(Square), real("tg_square_f32", lambda op, x: x * x))
