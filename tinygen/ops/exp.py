"""EXP: the exponential function, int8."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.ops.base import describe
from tinygen.ops.elementwise import Elementwise, elementwise
from tinygen.ops.sigmoid import float_table


class Exp(Elementwise):
    """y = exp(x), as LiteRT computes it; TFLite Micro has no int8."""

    __slots__ = ()
    kind: ClassVar[str] = "EXP"


def float_exp(x: npt.NDArray[np.float64]) -> Array:
    """The function, rounded to float32."""
    return np.exp(x).astype(np.float32)


def results_in_range(op: Exp) -> str:
    """The largest result is less than 2**22 times the output's scale.

    Beyond that the reference kernel overflows; check the ranges that the converter calibrated.
    """
    if op.x.quant is None or op.y.quant is None:
        return ""  # another rule's finding
    largest = op.x.scale * (127 - op.x.zero_point)
    return "" if largest < 15 + np.log(op.y.scale) else f"{describe(op.x)} to {describe(op.y)}"


def table(op: Exp) -> Array:
    """int8 results by the input's byte read as unsigned. Source: LiteRT's LUTPopulate."""
    return float_table(op.x, op.y, float_exp)


EXP = elementwise(Exp, table, (results_in_range,))
