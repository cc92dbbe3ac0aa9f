"""LOGICAL_OR: whether one of two holds, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.logical import Logical, definition_of_logical


@dataclass(frozen=True, slots=True, eq=False)
class LogicalOr(Logical):
    """y = a or b."""

    kind: ClassVar[str] = "LOGICAL_OR"


LOGICAL_OR = definition_of_logical(LogicalOr, np.logical_or, "tg_logical_or")
