"""NOT_EQUAL: whether a != b, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ops.comparison import Comparison, definition_of_comparison


@dataclass(frozen=True, slots=True, eq=False)
class NotEqual(Comparison):
    """y = a != b, of the real values."""

    kind: ClassVar[str] = "NOT_EQUAL"
    holds: ClassVar[tuple[bool, bool, bool]] = (True, False, True)


NOT_EQUAL = definition_of_comparison(NotEqual)
