"""REDUCE_MAX: the largest value over any set of axes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.mean import Mean
from tinygen.ops.reducing import extreme_definition


@dataclass(frozen=True, slots=True, eq=False)
class ReduceMax(Mean):
    """y = the largest of x over ``axes``, which are as those of a mean."""

    kind: ClassVar[str] = "REDUCE_MAX"


REDUCE_MAX = extreme_definition(ReduceMax, "max", np.max)
