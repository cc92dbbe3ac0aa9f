"""EQUAL: whether a == b, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ops.comparison import Comparison, definition_of_comparison


@dataclass(frozen=True, slots=True, eq=False)
class Equal(Comparison):
    """y = a == b, of the real values."""

    kind: ClassVar[str] = "EQUAL"
    holds: ClassVar[tuple[bool, bool, bool]] = (False, True, False)


EQUAL = definition_of_comparison(Equal)
