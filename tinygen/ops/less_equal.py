"""LESS_EQUAL: whether a <= b, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ops.comparison import Comparison, definition_of_comparison


@dataclass(frozen=True, slots=True, eq=False)
class LessEqual(Comparison):
    """y = a <= b, of the real values."""

    kind: ClassVar[str] = "LESS_EQUAL"
    holds: ClassVar[tuple[bool, bool, bool]] = (True, True, False)


LESS_EQUAL = definition_of_comparison(LessEqual)
