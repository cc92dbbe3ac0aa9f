"""The serial protocol's codec: frames to bytes and back, and the payloads of its messages.

``templates/firmware/protocol.h`` says what the messages mean; ``frame.h`` what a frame is.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

from cobs import cobs

from tinygen.ir import DType

PROTOCOL_VERSION = 1
SEQUENCES = 1 << 16
REPLY = 0x80

_HEADER = struct.Struct("<HBH")
_CRC = struct.Struct("<I")
_IDENTITY = struct.Struct("<BBHHHHHIII")
_TENSOR = struct.Struct("<BBBxIfi")
_CRASH = struct.Struct("<5I")
_REFUSED = struct.Struct("<BH")
_DTYPES = tuple(DType)

# Far above what any board's buffer holds: without a limit, endless noise would fill the memory.
_LONGEST_FRAME = 1 << 17


class Message(IntEnum):
    """Requests, and what the firmware sends that is no reply."""

    IDENTIFY = 0x01
    TENSOR = 0x02
    WRITE = 0x03
    INVOKE = 0x04
    READ = 0x05
    LAYERS = 0x06
    BENCHMARK = 0x07
    STATUS = 0x08
    RESET = 0x09
    QUIT = 0x0A
    LOAD = 0x0B
    CRASH = 0x7E
    REFUSED = 0x7F


class LayerMode(IntEnum):
    """What one inference records per layer."""

    OFF = 0
    TICKS = 1
    CRC = 2


class Refusal(IntEnum):
    """Why the firmware did not carry out a request."""

    NO_SESSION = 1
    SEQUENCE = 2
    TYPE = 3
    ARGUMENT = 4


class ProtocolError(ValueError):
    """Bytes that are no frame, or a payload that is not what its type asks for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; ``kind`` has the REPLY bit set in a reply."""

    kind: int
    sequence: int
    payload: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame, from the one that ends whatever noise was before to its own end."""
    body = _HEADER.pack(len(frame.payload), frame.kind, frame.sequence) + frame.payload
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
    length, kind, sequence = _HEADER.unpack_from(checked)
    if crc32(checked) != _CRC.unpack(end)[0] or length != len(checked) - _HEADER.size:
        raise ProtocolError("wrong length or checksum")
    return Frame(kind, sequence, checked[_HEADER.size :])


class FrameReader:
    """Cuts a stream of bytes into frames; damaged ones are counted and left out."""

    def __init__(self) -> None:
        self.damaged = 0
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that ``data`` completes."""
        *complete, self._rest = (self._rest + data).split(b"\0")
        if len(self._rest) > _LONGEST_FRAME:
            self._rest = b""
            self.damaged += 1
        frames = []
        for piece in filter(None, complete):
            try:
                frames.append(decode_frame(piece))
            except ProtocolError:
                self.damaged += 1
        return frames


@dataclass(frozen=True, slots=True)
class Identity:
    """What the firmware says of itself. ``stack_bytes`` is 0 where it is not known."""

    version: int
    emulated: bool
    payload_bytes: int
    window: int
    inputs: int
    outputs: int
    layers: int
    arena_bytes: int
    stack_bytes: int
    timer_hz: int
    model: str
    model_sha256: str
    board: str
    tinygen_version: str


def decode_identity(payload: bytes) -> Identity:
    """Read the reply to IDENTIFY. Raises ProtocolError."""
    if payload[:1] != bytes((PROTOCOL_VERSION,)):
        found = payload[0] if payload else "none"
        raise ProtocolError(f"protocol version {found}, not {PROTOCOL_VERSION}")
    try:
        version, flags, *numbers = _IDENTITY.unpack_from(payload)
        texts, offset = [], _IDENTITY.size
        for _ in range(4):
            end = offset + 1 + payload[offset]
            if end > len(payload):
                raise ProtocolError("the identity is cut off")
            texts.append(payload[offset + 1 : end].decode("ascii"))
            offset = end
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ProtocolError(f"the identity is damaged: {error}") from None
    identity = Identity(version, bool(flags & 1), *numbers, *texts)
    if identity.payload_bytes < 16 or identity.window < 1:
        raise ProtocolError("the identity makes no sense")
    return identity


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A model input or output as the firmware describes it."""

    dtype: DType
    shape: tuple[int, ...]
    nbytes: int
    scale: float | None
    zero_point: int | None


def decode_tensor(payload: bytes) -> TensorInfo:
    """Read the reply to TENSOR. Raises ProtocolError."""
    try:
        code, rank, quantized, nbytes, scale, zero_point = _TENSOR.unpack_from(payload)
        shape = struct.unpack(f"<{rank}I", payload[_TENSOR.size :])
        dtype = _DTYPES[code]
    except (struct.error, IndexError) as error:
        raise ProtocolError(f"the description of a tensor is damaged: {error}") from None
    known = (scale, zero_point) if quantized else (None, None)
    return TensorInfo(dtype, shape, nbytes, *known)


@dataclass(frozen=True, slots=True)
class Crash:
    """The processor's state at a fault; ``status`` and ``address`` are Arm's CFSR and BFAR."""

    exception: int
    pc: int
    lr: int
    status: int
    address: int

    @property
    def cause(self) -> str:
        """The fault in words."""
        bits = [text for bit, text in _FAULTS.items() if self.status >> bit & 1]
        name = _EXCEPTIONS.get(self.exception, f"exception {self.exception}")
        return name + (f" ({', '.join(bits)})" if bits else "")


# Armv7-M and Armv8-M Architecture Reference Manuals, B3.2.15: the bits of CFSR.
_FAULTS = {
    0: "instruction access violation",
    1: "data access violation",
    8: "bus error on an instruction fetch",
    9: "bus error on a data access",
    10: "imprecise bus error",
    12: "bus error while stacking",
    16: "undefined instruction",
    17: "invalid state",
    18: "invalid return",
    19: "no coprocessor",
    20: "stack overflow",
    24: "unaligned access",
    25: "division by zero",
}
_EXCEPTIONS = {
    0: "check after the inference",
    2: "NMI",
    3: "HardFault",
    4: "MemManage fault",
    5: "BusFault",
    6: "UsageFault",
    7: "SecureFault",
}


def decode_crash(payload: bytes) -> Crash:
    """Read a CRASH message. Raises ProtocolError."""
    try:
        return Crash(*_CRASH.unpack(payload))
    except struct.error as error:
        raise ProtocolError(f"the crash report is damaged: {error}") from None


def decode_refused(payload: bytes) -> tuple[int, int]:
    """Read REFUSED: the reason, and the sequence number that the firmware expects."""
    try:
        reason, expected = _REFUSED.unpack(payload)
    except struct.error as error:
        raise ProtocolError(f"the refusal is damaged: {error}") from None
    return reason, expected
