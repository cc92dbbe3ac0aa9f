"""GREATER: whether a > b, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ops.comparison import Comparison, definition_of_comparison


@dataclass(frozen=True, slots=True, eq=False)
class Greater(Comparison):
    """y = a > b, of the real values."""

    kind: ClassVar[str] = "GREATER"
    holds: ClassVar[tuple[bool, bool, bool]] = (False, False, True)


GREATER = definition_of_comparison(Greater)
