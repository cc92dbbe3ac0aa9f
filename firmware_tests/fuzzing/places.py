"""Where a flatbuffer keeps its offsets, its vtables, its lengths and its numbers."""

import struct
from dataclasses import dataclass, field

from tinygen.frontend.flatbuffer import Field, Layout, Skip, Tables, Union
from tinygen.frontend.schema import model_layout


@dataclass(frozen=True, slots=True)
class Places:
    """Positions in a file: of offsets to tables and vectors, of the uint16 of vtables, of the
    lengths of vectors and texts, and of single numbers with their widths."""

    offsets: list[int] = field(default_factory=list)
    vtables: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    numbers: list[tuple[int, int]] = field(default_factory=list)


def places_of(data: bytes) -> Places:
    """The places of a sound file, as far as ``tinygen.frontend.schema`` describes it."""
    found = Places(offsets=[0])
    _table(data, _word(data, 0), model_layout(), found)
    return found


def _table(data: bytes, position: int, layout: Layout, found: Places) -> None:
    vtable = position - struct.unpack_from("<i", data, position)[0]
    size = struct.unpack_from("<H", data, vtable)[0]
    found.offsets.append(position)
    found.vtables.extend(range(vtable, vtable + size, 2))
    slots = struct.unpack_from(f"<{(size - 4) // 2}H", data, vtable + 4)
    for slot, (offset, kind) in enumerate(zip(slots, layout.fields, strict=False)):
        if offset == 0 or isinstance(kind, Skip):
            continue
        at = position + offset
        if isinstance(kind, int):
            found.numbers.append((at, kind))
        elif isinstance(kind, Union):
            code = slots[kind.type_slot]
            chosen = kind.layouts.get(data[position + code] if code else 0)
            if chosen is not None:
                _field(data, at, chosen, found)
        else:
            assert slot < len(layout.fields)
            _field(data, at, kind, found)


def _field(data: bytes, at: int, kind: Field, found: Places) -> None:
    found.offsets.append(at)
    target = at + _word(data, at)
    if isinstance(kind, Layout):
        _table(data, target, kind, found)
        return
    found.lengths.append(target)
    if isinstance(kind, Tables):
        for entry in range(target + 4, target + 4 + 4 * _word(data, target), 4):
            found.offsets.append(entry)
            _table(data, entry + _word(data, entry), kind.of, found)


def _word(data: bytes, position: int) -> int:
    return int(struct.unpack_from("<I", data, position)[0])
