"""The options of a custom operator: a flexbuffer that holds a map from names to numbers.

The format has no offsets that need following far, but any of them may lie: every read is checked,
and a map has few entries. Source: flatbuffers' flexbuffers.h.

A value's byte of type has the width of what it names in its two lowest bits, as a power of two.
The last two bytes of the buffer are the root's type and the width of the root's slot, which lies
before them. A map's slots start after a header of three words of its width: the distance back to
its vector of keys, the width of that, and the number of slots. After the slots come their types. A
key's slot is the distance back to a text that ends with 0. Keys are in alphabetical order.
"""

import struct
from collections.abc import Mapping

from tinygen.errors import ModelError

_INT, _UINT, _FLOAT, _KEY_END, _INDIRECT, _MAP, _BOOL = 1, 2, 3, b"\0", 6, 9, 26
_DIRECT = {_INT: "bhiq", _UINT: "BHIQ", _FLOAT: "  fd", _BOOL: "BHIQ"}
_MOST_ENTRIES = 64
_LONGEST_KEY = 64

Number = int | float


def read_numbers(data: bytes, where: str) -> Mapping[str, Number]:
    """The numbers of a map, by name. Raises ModelError; ``where`` names the operator."""
    if not data:
        return {}
    try:
        return _read(data)
    except (ValueError, struct.error):
        raise ModelError(f"{where}: its options are no map of numbers") from None


def _read(data: bytes) -> dict[str, Number]:
    """Raises ValueError."""
    slot_width, packed = data[-1], data[-2] if len(data) > 2 else 0
    if slot_width not in (1, 2, 4, 8) or packed >> 2 != _MAP:
        raise ValueError(packed)
    width = 1 << (packed & 3)
    root = len(data) - 2 - slot_width
    start = root - _number(data, root, slot_width, "BHIQ")
    count = _number(data, start - width, width, "BHIQ")
    key_width = _number(data, start - 2 * width, width, "BHIQ")
    keys = start - 3 * width - _number(data, start - 3 * width, width, "BHIQ")
    if count > _MOST_ENTRIES or key_width not in (1, 2, 4, 8):
        raise ValueError(count)
    found: dict[str, Number] = {}
    for index in range(count):
        slot = keys + index * key_width
        name = _text(data, slot - _number(data, slot, key_width, "BHIQ"))
        kind = _number(data, start + count * width + index, 1, "BHIQ")
        found[name] = _value(data, start + index * width, width, kind)
    return found


def _value(data: bytes, position: int, width: int, packed: int) -> Number:
    kind = packed >> 2
    if _INDIRECT <= kind < _INDIRECT + 3:
        position -= _number(data, position, width, "BHIQ")
        kind, width = kind - _INDIRECT + _INT, 1 << (packed & 3)
    if kind not in _DIRECT:
        raise ValueError(kind)
    return _number(data, position, width, _DIRECT[kind])


def _number(data: bytes, position: int, width: int, forms: str) -> int:
    form = forms[width.bit_length() - 1]
    if not 0 <= position <= len(data) - width or form == " ":
        raise ValueError(position)
    return struct.unpack_from(f"<{form}", data, position)[0]  # type: ignore[no-any-return]


def _text(data: bytes, position: int) -> str:
    if not 0 <= position < len(data):
        raise ValueError(position)
    raw, end, _ = data[position : position + _LONGEST_KEY].partition(_KEY_END)
    if not end:
        raise ValueError(position)
    return raw.decode("ascii")
