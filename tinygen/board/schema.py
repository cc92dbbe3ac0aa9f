"""Read TOML tables strictly: every key is known, typed and asked for, or the file is refused.

A ``Table`` remembers which keys its reader asked for; what is left over at the end is a
misspelling, and the error names the nearest key that exists.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

from tinygen.errors import BoardError

T = TypeVar("T")

_SIZE = re.compile(r"(\d+)\s*([KM]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024 * 1024}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or all there is to choose from."""
    options = sorted(known)
    near = get_close_matches(word, options, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else "known: " + ", ".join(options)


class Table:
    """One table of a TOML file; every getter raises BoardError, naming ``where`` and the key."""

    def __init__(self, where: str, values: dict[str, Any]) -> None:
        self.where = where
        self._values = values
        self._asked: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """A string of one line that a C comment can hold; without ``default`` the key must be
        there."""
        text = self._get(key, str, "a string", default)
        if not text.isprintable() or "*/" in text:
            raise self._error(key, f"is {text!r}; it must be one line, without */")
        return text

    def integer(self, key: str, default: int | None = None) -> int:
        """An integer that is not negative."""
        number = self._get(key, int, "an integer", default)
        if number < 0:
            raise self._error(key, f"is {number}; it cannot be negative")
        return number

    def size(self, key: str, default: int | None = None) -> int:
        """Bytes: an integer, or a string such as ``"64K"`` or ``"4M"``."""
        value = self._find(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        found = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if found is None or int(found[1]) == 0:
            raise self._error(key, f'is {value!r}; a size is a number of bytes or "64K", "4M"')
        return int(found[1]) * _UNITS[found[2].upper()]

    def choice(self, key: str, choices: dict[str, T], default: str | None = None) -> T:
        """The value that one of the words in ``choices`` stands for."""
        word = self.text(key, default)
        if word not in choices:
            raise self._error(key, f"is '{word}'", did_you_mean(word, choices))
        return choices[word]

    def choices(self, key: str, choices: dict[str, T]) -> tuple[T, ...]:
        """What the words of a list stand for: at least one, none twice."""
        words = self.texts(key, required=True)
        for word in words:
            if word not in choices:
                raise self._error(key, f"names {word!r}", did_you_mean(word, choices))
        if not words or len(set(words)) < len(words):
            raise self._error(key, "must name at least one, and none twice")
        return tuple(choices[word] for word in words)

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of strings; empty where the key is not there, unless it is ``required``."""
        values = self._get(key, list, "a list of strings", None if required else [])
        if not all(isinstance(v, str) for v in values):
            raise self._error(key, f"is {values!r}; it must be a list of strings")
        return tuple(values)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._find(key, default)
        if not isinstance(value, bool):
            raise self._error(key, f"is {value!r}; it must be true or false")
        return value

    def strings(self, key: str) -> tuple[tuple[str, str], ...]:
        """The pairs of a table of strings; none where the key is not there."""
        if not self.has(key):
            return ()
        pairs = self._get(key, dict, "a table of strings", None)
        if not all(isinstance(v, str) for v in pairs.values()):
            raise self._error(key, "must hold strings only")
        return tuple(pairs.items())

    def array(self, key: str) -> tuple["Table", ...]:
        """The tables of an array ``[[key]]``; none where the key is not there."""
        values = self._get(key, list, "an array of tables", [])
        if not all(isinstance(v, dict) for v in values):
            raise self._error(key, "must be an array of tables")
        return tuple(Table(f"{self.where}: [[{key}]] {i + 1}", v) for i, v in enumerate(values))

    def table(self, key: str) -> "Table":
        """A table inside this one."""
        return Table(f"{self.where}: [{key}]", self._get(key, dict, "a table", None))

    def tables(self, key: str) -> dict[str, "Table"]:
        """The tables inside the table ``key``, by name, in the file's order."""
        outer = self.table(key)
        return {name: outer.table(name) for name in outer._values}

    def has(self, key: str) -> bool:
        """Whether the file gives ``key``."""
        self._asked.add(key)
        return key in self._values

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                raise BoardError(
                    f"{self.where}: unknown key {key!r}", did_you_mean(key, self._asked)
                )

    def _find(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is None:
            # A misspelt key is both unknown and missing; its own name is the better message.
            unknown = [k for k in self._values if k not in self._asked]
            near = get_close_matches(key, unknown, n=1, cutoff=0.6)
            hint = f"'{near[0]}' looks like it" if near else ""
            raise BoardError(f"{self.where}: key '{key}' is missing", hint)
        return value

    def _get(self, key: str, kind: type[T], what: str, default: T | None) -> T:
        value = self._find(key, default)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._error(key, f"is {value!r}; it must be {what}")
        return value

    def _error(self, key: str, problem: str, hint: str = "") -> BoardError:
        return BoardError(f"{self.where}: '{key}' {problem}", hint)
