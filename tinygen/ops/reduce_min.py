"""REDUCE_MIN: the smallest value over any set of axes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.mean import Mean
from tinygen.ops.reducing import extreme_definition


@dataclass(frozen=True, slots=True, eq=False)
class ReduceMin(Mean):
    """y = the smallest of x over ``axes``, which are as those of a mean."""

    kind: ClassVar[str] = "REDUCE_MIN"


REDUCE_MIN = extreme_definition(ReduceMin, "min", np.min)
