"""Damage to the bytes of a file: what a bad medium does, and what breaks a careless reader."""

import random
from collections.abc import Callable
from functools import lru_cache

from firmware_tests.fuzzing.places import Places, places_of

_WORDS = (0, 1, 2, 3, 4, 8, 0x100, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF,
          0x7F800000, 0x7FC00000, 0x00000001, 0x80000001)  # fmt: skip

places = lru_cache(maxsize=512)(places_of)


def flip(rng: random.Random, data: bytearray, known: Places) -> None:
    """One bit anywhere."""
    del known
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(rng: random.Random, data: bytearray, known: Places) -> None:
    """Some bytes anywhere."""
    del known
    start = rng.randrange(len(data))
    for position in range(start, min(len(data), start + rng.choice((1, 2, 4, 16)))):
        data[position] = rng.randrange(256)


def cut(rng: random.Random, data: bytearray, known: Places) -> None:
    """The tail is missing."""
    del known
    if len(data) > 16:
        del data[rng.randrange(8, len(data)) :]


def move(rng: random.Random, data: bytearray, known: Places) -> None:
    """A piece of the file lies over another."""
    del known
    source, target, size = (
        rng.randrange(len(data)),
        rng.randrange(len(data)),
        rng.choice((4, 8, 64)),
    )
    piece = data[source : source + size]
    data[target : target + len(piece)] = piece


def number(rng: random.Random, data: bytearray, known: Places) -> None:
    """A scalar field has another value."""
    at, width = rng.choice(known.numbers)
    _put(data, at, width, rng.choice(_WORDS))


def offset(rng: random.Random, data: bytearray, known: Places) -> None:
    """An offset leads to nowhere, to itself, back to a parent, or to another table."""
    at = rng.choice(known.offsets)
    other = rng.choice(known.offsets)
    _put(data, at, 4, rng.choice((*_WORDS, len(data), len(data) - at, other - at, -at)))


def vtable(rng: random.Random, data: bytearray, known: Places) -> None:
    """A vtable has fields where there are none, or another size."""
    _put(data, rng.choice(known.vtables), 2, rng.choice((*_WORDS, 6, 12, 16, 20, 0x7FFF)))


def length(rng: random.Random, data: bytearray, known: Places) -> None:
    """A vector or a text is longer, or shorter, than it is."""
    at = rng.choice(known.lengths)
    old = int.from_bytes(data[at : at + 4], "little")
    _put(data, at, 4, rng.choice((*_WORDS, old - 1, old + 1, old * 2, len(data), 1 << 30)))


BLIND: tuple[Callable[[random.Random, bytearray, Places], None], ...] = (
    flip, overwrite, cut, move, number, offset, vtable, length,
)  # fmt: skip


def _put(data: bytearray, at: int, width: int, value: int) -> None:
    if at + width <= len(data):
        data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
