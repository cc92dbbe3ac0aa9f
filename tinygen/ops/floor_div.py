"""FLOOR_DIV: the quotient rounded down, with broadcasting, of values without a scale.

LiteRT has it for all four types, TFLite Micro for float32; both stop at a divisor of zero. float32
is divided in double. Stored int8 and int16 values are divided, whatever their scales are.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.binary import Binary
from tinygen.ops.dividing import definition_of_division, divided, is_float


@dataclass(frozen=True, slots=True, eq=False)
class FloorDiv(Binary):
    """y = floor(a / b), 0 where a whole number b is; there is no fused activation."""

    kind: ClassVar[str] = "FLOOR_DIV"


def function(a: Array, b: Array) -> Array:
    """Source: TFLite's reference_ops::FloorDiv."""
    if is_float(a):
        return np.asarray(np.floor(a.astype(np.float64) / b.astype(np.float64)))
    return divided(np.floor_divide, a, b)


FLOOR_DIV = definition_of_division(
    FloorDiv, "floor_div", (DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32), function
)
