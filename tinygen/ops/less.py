"""LESS: whether a < b, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ops.comparison import Comparison, definition_of_comparison


@dataclass(frozen=True, slots=True, eq=False)
class Less(Comparison):
    """y = a < b, of the real values."""

    kind: ClassVar[str] = "LESS"
    holds: ClassVar[tuple[bool, bool, bool]] = (True, False, False)


LESS = definition_of_comparison(Less)
