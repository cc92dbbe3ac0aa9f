"""FLOOR_MOD: what a division rounded down leaves, with broadcasting, of values without a scale.

LiteRT has it for all five types, TFLite Micro for float32; both stop at a divisor of zero. Stored
int8 and int16 values are taken, whatever their scales are.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.binary import Binary
from tinygen.ops.dividing import definition_of_division, divided, is_float


@dataclass(frozen=True, slots=True, eq=False)
class FloorMod(Binary):
    """y = a - b * floor(a / b), 0 where a whole number b is; there is no fused activation."""

    kind: ClassVar[str] = "FLOOR_MOD"


def function(a: Array, b: Array) -> Array:
    """Source: TFLite's reference_ops::FloorMod: C's remainder, moved to the divisor's side."""
    if not is_float(a):
        return divided(np.mod, a, b)
    rest = np.fmod(a, b)
    other_side = (rest != 0) & ~np.isnan(rest) & ((rest < 0) != (b < 0))
    return np.where(other_side, rest + b, rest)


FLOOR_MOD = definition_of_division(
    FloorMod,
    "floor_mod",
    (DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32, DType.INT64),
    function,
)
