"""ELU: x, or exp(x) - 1 where that is negative, int8 and float32."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.ops.elementwise import Elementwise, Floats, elementwise, reading, real, tabled
from tinygen.ops.sigmoid import float_table
from tinygen.ops.tolerance import CURVE
from tinygen.ops.unary import scale_in_range


class Elu(Elementwise):
    """y = x for x >= 0, else exp(x) - 1."""

    __slots__ = ()
    kind: ClassVar[str] = "ELU"


def float_elu(x: npt.NDArray[np.float64]) -> Array:
    """The function, each step rounded to float32."""
    exponential = np.exp(np.minimum(x, 0.0)).astype(np.float32)
    return np.where(x < 0, exponential - np.float32(1), x.astype(np.float32))


def table(op: Elu) -> Array:
    """int8 results by the input's byte read as unsigned. Source: ``PopulateLookupTable``."""
    return float_table(op.x, op.y, float_elu)


def real_elu(op: Elu, x: Floats) -> Array:
    """float32 results, by expm1()."""
    del op
    return np.where(x < 0, np.expm1(np.minimum(x, 0).astype(np.float64)), x)


ELU = elementwise(
    Elu, reading(Elu), tabled(table, scale_in_range), real("tg_elu_f32", real_elu, CURVE)
)
