"""Prove that a flatbuffer can be read safely, before anything reads it.

Python's flatbuffers package trusts every offset: a negative one wraps to the end of the file, and
a length of four billion is a loop of four billion turns. ``verify`` walks the tables that
``tinygen.frontend.schema`` describes and checks that each field lies inside the file. What a field
means is not its business.

A flatbuffer's table starts with the distance back to its vtable. The vtable is a list of uint16:
its own size, the table's size, then for each field its offset inside the table, 0 where the field
is left out. Strings, vectors and child tables are reached by an unsigned offset from the field.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from tinygen.errors import ModelError

HINT = "the file is truncated or damaged: copy it again, or convert the model again"

# Names are repeated in messages and in generated C; the longest that converters make, of many fused
# operators, have a few hundred bytes.
_MAX_TEXT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Text:
    """A UTF-8 string."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A field that nobody reads."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """A vector that is only ever viewed as a whole: its length costs nothing."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector of scalars of ``width`` bytes."""

    width: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of a table, in the schema's order; an int is a scalar of so many bytes."""

    name: str
    fields: tuple["Field", ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """A vector of tables."""

    of: Layout


@dataclass(frozen=True, slots=True)
class Union:
    """A table whose layout is chosen by the uint8 field at ``type_slot``.

    A type that ``layouts`` does not have is not walked: nobody may read it.
    """

    type_slot: int
    layouts: Mapping[int, Layout]


Field = int | Text | Skip | Bytes | Vector | Layout | Tables | Union


def verify(data: bytes, root: Layout) -> None:
    """Walk ``data`` from its root table. Raises ModelError at the first field outside the file."""
    _Verifier(data).root(root)


class _Verifier:
    """One walk. Every step costs the bytes that it looks at, and there are twice as many as the
    file has: the work is bounded even if all offsets lead to the same large vector, while a writer
    may still share some parts, as flatbuffers allow."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.budget = 2 * len(data) + 1024

    def root(self, layout: Layout) -> None:
        position = self._unsigned(0, layout.name)
        self._table(position, layout, layout.name)

    def _table(self, position: int, layout: Layout, path: str) -> None:
        self._charge(8, path)
        vtable = position - self._number("<i", position, path)
        vtable_size = self._number("<H", vtable, path)
        table_size = self._number("<H", vtable + 2, path)
        self._span(vtable, vtable_size, path)
        self._span(position, table_size, path)
        if vtable_size < 4 or vtable_size % 2 or table_size < 4:
            raise ModelError(f"{path}: not a table", HINT)
        present = min(len(layout.fields), (vtable_size - 4) // 2)
        offsets = struct.unpack_from(f"<{present}H", self.data, vtable + 4)
        for slot, offset in enumerate(offsets):
            field = layout.fields[slot]
            if offset == 0 or isinstance(field, Skip):
                continue
            width = field if isinstance(field, int) else 4
            if offset < 4 or offset + width > table_size:
                raise ModelError(f"{path}: field {slot} lies outside its table", HINT)
            if isinstance(field, Union):
                kind = offsets[field.type_slot]
                code = self.data[position + kind] if kind else 0
                if code in field.layouts:
                    self._field(position + offset, field.layouts[code], f"{path}.{slot}")
            elif not isinstance(field, int):
                self._field(position + offset, field, f"{path}.{slot}")

    def _field(self, position: int, field: Field, path: str) -> None:
        target = position + self._unsigned(position, path)
        if isinstance(field, Layout):
            self._table(target, field, f"{path}:{field.name}")
            return
        length, start = self._unsigned(target, path), target + 4
        match field:
            case Text():
                self._span(start, length, path)
                self._text(start, length, path)
            case Bytes():
                self._span(start, length, path)
            case Vector(width):
                self._span(start, length * width, path)
                self._charge(length * width, path)
            case Tables(of):
                self._span(start, length * 4, path)
                for index in range(length):
                    entry = start + 4 * index
                    child = f"{path}:{of.name}[{index}]"
                    self._table(entry + self._unsigned(entry, child), of, child)

    def _text(self, start: int, length: int, path: str) -> None:
        self._charge(length, path)
        if length > _MAX_TEXT_BYTES:
            raise ModelError(f"{path}: a name has {length} bytes", HINT)
        try:
            self.data[start : start + length].decode()
        except UnicodeDecodeError:
            raise ModelError(f"{path}: a name is not UTF-8 text", HINT) from None

    def _unsigned(self, position: int, path: str) -> int:
        return self._number("<I", position, path)

    def _number(self, form: str, position: int, path: str) -> int:
        self._span(position, struct.calcsize(form), path)
        return int(struct.unpack_from(form, self.data, position)[0])

    def _span(self, start: int, size: int, path: str) -> None:
        if start < 0 or start + size > len(self.data):
            raise ModelError(
                f"{path}: bytes {start} to {start + size} lie outside the file's {len(self.data)}",
                HINT,
            )

    def _charge(self, cost: int, path: str) -> None:
        self.budget -= cost
        if self.budget < 0:
            raise ModelError(f"{path}: its parts overlap or repeat endlessly", HINT)
