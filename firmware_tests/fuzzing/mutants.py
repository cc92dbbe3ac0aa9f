"""Mutants by number: the same seed and number always give the same file."""

import random
from dataclasses import dataclass
from struct import error as struct_error

from firmware_tests.fuzzing.blind import BLIND, places
from firmware_tests.fuzzing.lies import LIES
from firmware_tests.fuzzing.originals import Original
from firmware_tests.models.edit import edited

_COUNTS = (1, 1, 1, 1, 2, 2, 3, 6)
_BLIND_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged file, and how it came about."""

    number: int
    original: str
    changes: tuple[str, ...]
    data: bytes

    def __str__(self) -> str:
        return f"{self.number} of {self.original}: {', '.join(self.changes)}"


def mutant(seed: int, number: int, of: tuple[Original, ...]) -> Mutant:
    """The mutant of ``seed`` and ``number``."""
    rng = random.Random(f"{seed}/{number}")
    original = rng.choice(of)
    count = rng.choice(_COUNTS)
    if rng.random() >= _BLIND_SHARE:
        lies = [rng.choice(LIES) for _ in range(count)]
        names = tuple(lie.__name__ for lie in lies)

        def change(model: object) -> None:
            for lie in lies:
                lie(rng, model)

        try:
            return Mutant(number, original.name, names, edited(original.data, change))
        except (IndexError, struct_error, TypeError, OverflowError, ValueError):
            pass  # a lie that the writer of flatbuffers cannot tell, or nothing left to change
    data, known = bytearray(original.data), places(original.data)
    kinds = [rng.choice(BLIND) for _ in range(count)]
    for damage in kinds:
        damage(rng, data, known)
    return Mutant(number, original.name, tuple(kind.__name__ for kind in kinds), bytes(data))
