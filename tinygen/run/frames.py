"""Frames on the line: bytes to messages and back, and the text that comes between them.

``templates/firmware/frame.h`` says what a frame is.
"""

import struct
from collections import deque
from dataclasses import dataclass
from zlib import crc32

from cobs import cobs

SEQUENCES = 1 << 16
REPLY = 0x80

_HEADER = struct.Struct("<HBIH")
_CRC = struct.Struct("<I")

# Far above what any board's buffer holds: without a limit, endless noise would fill the memory.
_LONGEST_FRAME = 1 << 17
_KEPT_LINES = 4
_LONGEST_LINE = 200

# Besides what can be printed, what a boot loader or a log prints; the escape starts a colour.
_CONTROLS = "\t\n\r\x1b"


class ProtocolError(ValueError):
    """Bytes that are no frame, or a payload that is not what its type asks for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; ``kind`` has the REPLY bit set in a reply."""

    kind: int
    session: int
    sequence: int
    payload: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame, from the one that ends whatever noise was before to its own end."""
    head = _HEADER.pack(len(frame.payload), frame.kind, frame.session, frame.sequence)
    body = head + frame.payload
    stuffed: bytes = cobs.encode(body + _CRC.pack(crc32(body)))
    return b"\0" + stuffed + b"\0"


def decode_frame(data: bytes) -> Frame:
    """The frame in ``data``, the bytes between two delimiters. Raises ProtocolError."""
    try:
        body = cobs.decode(data)
    except cobs.DecodeError as error:
        raise ProtocolError(str(error)) from None
    if len(body) < _HEADER.size + _CRC.size:
        raise ProtocolError("too short")
    checked, end = body[: -_CRC.size], body[-_CRC.size :]
    length, kind, session, sequence = _HEADER.unpack_from(checked)
    if crc32(checked) != _CRC.unpack(end)[0] or length != len(checked) - _HEADER.size:
        raise ProtocolError("wrong length or checksum")
    return Frame(kind, session, sequence, checked[_HEADER.size :])


def text_lines(data: bytes) -> list[str] | None:
    """The lines of what a person can read, and so was not meant as a frame; None if it is not."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if not all(c.isprintable() or c in _CONTROLS for c in text):
        return None
    return [line for line in text.splitlines() if line.strip()]


class FrameReader:
    """Cuts a stream of bytes into frames.

    ``damaged`` counts what was neither a frame nor text; ``lines`` holds the last lines of text.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that ``data`` completes."""
        *complete, self._rest = (self._rest + data).split(b"\0")
        if len(self._rest) > _LONGEST_FRAME:
            self.lines.extend(self.last_lines())
            self._rest = b""
            self.damaged += 1
        frames = []
        for piece in filter(None, complete):
            try:
                frames.append(decode_frame(piece))
            except ProtocolError:
                self._other(piece)
        return frames

    def last_lines(self) -> list[str]:
        """The last lines of text, those included that no zero has ended: another firmware's."""
        pieces = self._rest.splitlines()[-_KEPT_LINES:]
        rest = [line for piece in pieces for line in text_lines(piece[:_LONGEST_LINE]) or ()]
        return [line[:_LONGEST_LINE] for line in (*self.lines, *rest)][-_KEPT_LINES:]

    def _other(self, piece: bytes) -> None:
        lines = text_lines(piece)
        if lines is None:
            self.damaged += 1
        else:
            self.lines.extend(lines)
