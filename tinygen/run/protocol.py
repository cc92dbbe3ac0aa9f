"""The serial protocol's messages: their types, and the payloads that the firmware sends.

``templates/firmware/protocol.h`` says what they mean; ``frames.py`` is what carries them.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from tinygen.ir import DType
from tinygen.run.faults import fault_words
from tinygen.run.frames import ProtocolError

PROTOCOL_VERSION = 2

_IDENTITY = struct.Struct("<BBHHHHHIII")
_TENSOR = struct.Struct("<BBBxIfi")
_CRASH = struct.Struct("<5I")
_REFUSED = struct.Struct("<BH")
_DTYPES = tuple(DType)
_TEXTS = 7


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


@dataclass(frozen=True, slots=True)
class Identity:
    """What the firmware says of itself. ``stack_bytes`` is 0 where it is not known; ``options`` are
    those that its code was generated with."""

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
    options: str
    framework: str
    app: str


def decode_identity(payload: bytes) -> Identity:
    """Read the reply to IDENTIFY. Raises ProtocolError."""
    if payload[:1] != bytes((PROTOCOL_VERSION,)):
        found = payload[0] if payload else "none"
        raise ProtocolError(f"protocol version {found}, not {PROTOCOL_VERSION}")
    try:
        version, flags, *numbers = _IDENTITY.unpack_from(payload)
        texts, offset = [], _IDENTITY.size
        for _ in range(_TEXTS):
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
    """The processor's state at a fault.

    ``status`` is Arm's CFSR, or its bits that fit; ``address`` is the one that was accessed.
    """

    exception: int
    pc: int
    lr: int
    status: int
    address: int

    @property
    def cause(self) -> str:
        """The fault in words."""
        return fault_words(self.exception, self.status)

    def words(self, where: Callable[[int], str]) -> str:
        """The report as a person reads it; ``where`` turns an address into words."""
        text = f"the firmware crashed: {self.cause}"
        if self.pc or self.lr:  # a call of a null pointer has pc 0
            text += f" at {where(self.pc)}, called from {where(self.lr)}"
        return text


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
