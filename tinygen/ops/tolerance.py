"""How far a float32 result may lie from the reference's: stated per operator, and for whole models.

Integers and booleans are compared bit for bit, and so is float32 by default. Where an operator
computes in float32, another compiler may contract a product and a sum into one instruction, and
another C library's exponential differs in the last place; ``OpDef.tolerance`` bounds what that may
do to a result.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType


@dataclass(frozen=True, slots=True)
class Tolerance:
    """|got - want| <= units * (the unit in the last place of want) + of_largest * max |want|.

    ``of_largest`` is for sums, whose error follows the magnitude of what they add and not of what
    is left; the maximum is over all values of the tensor that are compared at once. Zeros of either
    sign are equal, and NaN is equal to NaN.
    """

    units: float = 0.0
    of_largest: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether every bit counts."""
        return self.units == self.of_largest == 0.0

    def __str__(self) -> str:
        parts = [f"{self.units:g} ulp"] * (self.units > 0)
        parts += [f"{self.of_largest:g} of the largest value"] * (self.of_largest > 0)
        return " + ".join(parts) or "exact"


EXACT = Tolerance()
# One operation that IEEE 754 does not round exactly, such as exp(), or a few that it does.
CURVE = Tolerance(units=4)
# Sums of products, in the reference's order, of any length that models have.
SUM = Tolerance(units=2, of_largest=1e-5)
# Outputs of whole models, whose layers add to one another's errors.
FLOAT_MODEL = Tolerance(of_largest=1e-4)
# A hybrid layer rounds its input to 8 bits: where one ulp decides, the result moves by a step.
HYBRID_MODEL = Tolerance(of_largest=1 / 64)


def deviating(got: Array, want: Array, tolerance: Tolerance) -> npt.NDArray[np.bool_]:
    """Which elements of ``got`` lie further from ``want`` than ``tolerance`` allows.

    Both have one shape and one type; only float32 has a tolerance.
    """
    if tolerance.exact or got.dtype != DType.FLOAT32.numpy:
        return bits_differ(got, want)
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(want)
        least = np.where(finite, want, np.float32(0))
        largest = float(np.max(np.abs(least), initial=0.0))
        ulp = np.spacing(np.abs(least)).astype(np.float64)
        allowed = tolerance.units * ulp + tolerance.of_largest * largest
        near = np.abs(got.astype(np.float64) - want.astype(np.float64)) <= allowed
        same = (got == want) | (np.isnan(got) & np.isnan(want))
    return ~np.where(finite, near, same)


def bits_differ(got: Array, want: Array) -> npt.NDArray[np.bool_]:
    """Which elements do not have the same bytes."""
    size = got.dtype.itemsize
    raw_a, raw_b = (
        np.frombuffer(np.ascontiguousarray(a).tobytes(), np.uint8).reshape(-1, size)
        for a in (got, want)
    )
    return np.asarray((raw_a != raw_b).any(axis=1).reshape(got.shape))
