"""MINIMUM: the smaller of two values, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.binary import Binary
from tinygen.ops.extremum import definition_of_extremum


@dataclass(frozen=True, slots=True, eq=False)
class Minimum(Binary):
    """y = min(a, b), of the stored values; there is no fused activation."""

    kind: ClassVar[str] = "MINIMUM"


MINIMUM = definition_of_extremum(Minimum, "minimum", lambda a, b: np.where(a < b, a, b))
