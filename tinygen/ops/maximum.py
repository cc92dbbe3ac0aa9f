"""MAXIMUM: the larger of two values, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.binary import Binary
from tinygen.ops.extremum import definition_of_extremum


@dataclass(frozen=True, slots=True, eq=False)
class Maximum(Binary):
    """y = max(a, b), of the stored values; there is no fused activation."""

    kind: ClassVar[str] = "MAXIMUM"


MAXIMUM = definition_of_extremum(Maximum, "maximum", lambda a, b: np.where(a > b, a, b))
