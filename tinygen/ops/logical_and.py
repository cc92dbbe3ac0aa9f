"""LOGICAL_AND: whether both hold, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.logical import Logical, definition_of_logical


@dataclass(frozen=True, slots=True, eq=False)
class LogicalAnd(Logical):
    """y = a and b."""

    kind: ClassVar[str] = "LOGICAL_AND"


LOGICAL_AND = definition_of_logical(LogicalAnd, np.logical_and, "tg_logical_and")
