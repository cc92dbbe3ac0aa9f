"""A running firmware, over any link: inputs in, outputs out, within a bounded time.

The host numbers its requests and sends as many ahead as the firmware takes. Replies may be lost,
doubled or damaged: what is not answered in time is sent again from the first gap on, a bounded
number of times, and the firmware carries nothing out twice. Then there is one clear error.
"""

import os
import secrets
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from time import monotonic
from typing import Protocol

import numpy as np

from tinygen.errors import DeviceError
from tinygen.ir import Array
from tinygen.run.protocol import (
    REPLY,
    SEQUENCES,
    Crash,
    Frame,
    FrameReader,
    Identity,
    LayerMode,
    Message,
    ProtocolError,
    Refusal,
    TensorInfo,
    decode_crash,
    decode_identity,
    decode_refused,
    decode_tensor,
    encode_frame,
)

Request = tuple[Message, bytes]

# What is sent before the firmware listens is lost, so the first question is asked often.
_IDENTIFY_S = 0.2

# From this many bytes of input on, a file is quicker than an emulator's serial port.
_FILE_BYTES = 4096

_WRITE_HEAD = struct.Struct("<HI")
_READ_HEAD = struct.Struct("<HIH")


class Link(Protocol):
    """A byte stream to a device; both methods raise DeviceError once the other end is gone."""

    @property
    def shared(self) -> Path | None:
        """A directory whose files an emulated device can read by itself; None if it cannot."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``, within a bounded time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to ask again."""

    boot_s: float = 15.0
    reply_s: float = 3.0
    invoke_s: float = 120.0
    retries: int = 4


@dataclass(frozen=True, slots=True)
class Inference:
    """The outputs of one inference, its time in timer ticks, and one number per layer if asked for:
    ticks, or the CRC-32 (as ``zlib.crc32``) of the layer's output bytes."""

    outputs: tuple[Array, ...]
    ticks: int
    layers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Ticks of a number of inferences."""

    total: int
    shortest: int
    longest: int


@dataclass(frozen=True, slots=True)
class Status:
    """Bytes of stack, the most ever used (both 0 if unknown), and damaged frames received."""

    stack_bytes: int
    stack_used: int
    damaged_frames: int


class Device:
    """The host's end of the protocol.

    Every method raises DeviceError if the firmware crashed, restarted, does not answer in time, or
    answers what it must not. ``where`` turns an address of the image into words for such errors.
    """

    def __init__(
        self,
        link: Link,
        patience: Patience | None = None,
        where: Callable[[int], str] = lambda address: f"0x{address:08x}",
    ) -> None:
        self._link = link
        self._patience = patience or Patience()
        self._where = where
        self._reader = FrameReader()
        self._pending: list[Frame] = []
        self._next = 0
        self._window = 1
        self._identity: Identity | None = None
        self._tensors: tuple[TensorInfo, ...] = ()

    def connect(self, model_sha256: str | None = None) -> Identity:
        """Open a session: ask until the firmware answers, then learn its tensors.

        Raises DeviceError if the firmware's model is not the one with the given hash.
        """
        self._next = secrets.randbelow(SEQUENCES)
        self._window = 1
        asked = max(1, round(self._patience.boot_s / _IDENTIFY_S))
        request = [(Message.IDENTIFY, b"")]
        reply = self._exchange(request, reply_s=_IDENTIFY_S, retries=asked)[0]
        try:
            identity = decode_identity(reply)
        except ProtocolError as error:
            raise DeviceError(
                f"the firmware does not fit this tinygen: {error}", "build and flash it again"
            ) from None
        if model_sha256 is not None and identity.model_sha256 != model_sha256:
            raise DeviceError(
                f"the device runs another model, '{identity.model}' "
                f"({identity.model_sha256[:12]}, not {model_sha256[:12]})",
                "flash this model's firmware first",
            )
        self._identity = identity
        self._window = identity.window
        indices = range(identity.inputs + identity.outputs)
        replies = self._exchange([(Message.TENSOR, struct.pack("<H", i)) for i in indices])
        try:
            self._tensors = tuple(decode_tensor(r) for r in replies)
        except ProtocolError as error:
            raise DeviceError(f"the device answered nonsense: {error}") from None
        return identity

    @property
    def identity(self) -> Identity:
        """What the firmware said when the session was opened."""
        if self._identity is None:
            raise DeviceError("the device is not connected")
        return self._identity

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The model's inputs."""
        return self._tensors[: self.identity.inputs]

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The model's outputs."""
        return self._tensors[self.identity.inputs :]

    def run(self, inputs: Sequence[Array], mode: LayerMode = LayerMode.OFF) -> Inference:
        """Run one inference. Arrays are in the model's order, of its shapes and types."""
        self._write_inputs(inputs)
        patience = self._patience
        # The same request again: the firmware that has not missed it is busy, and does not care.
        again = max(1, round(patience.invoke_s / patience.reply_s))
        request = [(Message.INVOKE, bytes((mode,)))]
        (ticks,) = self._unpack("<Q", self._exchange(request, retries=again)[0])
        outputs = self._read_outputs()
        layers = self._read_layers() if mode is not LayerMode.OFF else ()
        return Inference(outputs, ticks, layers)

    def trace(self, inputs: Sequence[Array]) -> Inference:
        """Run one inference; ``layers`` holds the CRC-32 of each layer's output."""
        return self.run(inputs, LayerMode.CRC)

    def counters(self, inputs: Sequence[Array]) -> Inference:
        """Run one inference; ``layers`` holds the ticks that each layer took."""
        return self.run(inputs, LayerMode.TICKS)

    def benchmark(self, inferences: int) -> Benchmark:
        """Time inferences back to back, on whatever the arena holds."""
        patience = self._patience
        again = max(1, round(patience.invoke_s * inferences / patience.reply_s))
        request = [(Message.BENCHMARK, struct.pack("<I", inferences))]
        return Benchmark(*self._unpack("<3Q", self._exchange(request, retries=again)[0]))

    def status(self) -> Status:
        """Ask for the stack's high-water mark and the state of the line."""
        return Status(*self._unpack("<3I", self._exchange([(Message.STATUS, b"")])[0]))

    def reset(self) -> Identity:
        """Start the firmware again as after power-up, and connect."""
        sha256 = self.identity.model_sha256
        self._exchange([(Message.RESET, b"")])
        return self.connect(sha256)

    def quit(self) -> None:
        """Ask the firmware to end, which ends an emulator; a board stands still until its reset."""
        try:
            self._exchange([(Message.QUIT, b"")])
        except DeviceError:
            # It may end before its reply has left: that is what was asked for.
            return

    def _write_inputs(self, inputs: Sequence[Array]) -> None:
        blobs = []
        for index, (info, array) in enumerate(zip(self.inputs, inputs, strict=True)):
            if array.shape != info.shape or array.dtype != np.dtype(info.dtype.value):
                raise ValueError(
                    f"input {index} is {array.dtype}{array.shape}, "
                    f"the model's is {info.dtype.value}{info.shape}"
                )
            blobs.append(np.ascontiguousarray(array, info.dtype.numpy).tobytes())
        if self._link.shared is None or sum(map(len, blobs)) < _FILE_BYTES:
            requests = self._write_requests(blobs)
        else:
            requests = self._load_requests(blobs, self._link.shared)
        for reply in self._exchange(requests):
            self._unpack("<", reply)

    def _write_requests(self, blobs: Sequence[bytes]) -> list[Request]:
        chunk = self.identity.payload_bytes - _WRITE_HEAD.size
        return [
            (Message.WRITE, _WRITE_HEAD.pack(index, start) + data[start : start + chunk])
            for index, data in enumerate(blobs)
            for start in range(0, len(data), chunk)
        ]

    def _load_requests(self, blobs: Sequence[bytes], shared: Path) -> list[Request]:
        """Put the inputs into a file for an emulator to read: its serial port is slow."""
        file = shared / "inputs"
        path = os.fsencode(file)
        if len(path) + _WRITE_HEAD.size >= self.identity.payload_bytes:
            return self._write_requests(blobs)
        file.write_bytes(b"".join(blobs))
        starts = accumulate((len(b) for b in blobs[:-1]), initial=0)
        return [
            (Message.LOAD, _WRITE_HEAD.pack(index, start) + path)
            for index, start in enumerate(starts)
        ]

    def _read_outputs(self) -> tuple[Array, ...]:
        chunk = self.identity.payload_bytes
        requests: list[Request] = []
        lengths: list[int] = []
        for index, info in enumerate(self.outputs):
            for start in range(0, info.nbytes, chunk):
                lengths.append(min(chunk, info.nbytes - start))
                requests.append((Message.READ, _READ_HEAD.pack(index, start, lengths[-1])))
        replies = self._exchange(requests)
        if [len(r) for r in replies] != lengths:
            raise DeviceError("the device answered another number of output bytes than asked for")
        data, offset, arrays = b"".join(replies), 0, []
        for info in self.outputs:
            flat = np.frombuffer(data[offset : offset + info.nbytes], info.dtype.numpy)
            arrays.append(flat.reshape(info.shape).astype(info.dtype.value))
            offset += info.nbytes
        return tuple(arrays)

    def _read_layers(self) -> tuple[int, ...]:
        total, chunk = self.identity.layers, self.identity.payload_bytes // 4
        spans = [(start, min(chunk, total - start)) for start in range(0, total, chunk)]
        replies = self._exchange([(Message.LAYERS, struct.pack("<HH", *s)) for s in spans])
        values: list[int] = []
        for (_, count), reply in zip(spans, replies, strict=True):
            values += self._unpack(f"<{count}I", reply)
        return tuple(values)

    def _unpack(self, layout: str, payload: bytes) -> tuple[int, ...]:
        try:
            return struct.unpack(layout, payload)
        except struct.error:
            raise DeviceError("the device answered with a payload of the wrong length") from None

    def _exchange(
        self, requests: Sequence[Request], reply_s: float | None = None, retries: int | None = None
    ) -> list[bytes]:
        """Send ``requests`` in order, and return the payloads of their replies.

        All of them must be harmless to repeat in place, or be alone: the firmware answers an old
        number from what it holds now. ``retries`` is the number of times in a row that nothing new
        may arrive within ``reply_s``.
        """
        patience = self._patience
        wait_s = patience.reply_s if reply_s is None else reply_s
        tries_left = allowed = patience.retries if retries is None else retries
        first = self._next
        self._next = (first + len(requests)) % SEQUENCES
        replies: dict[int, bytes] = {}
        done = sent = 0
        resent_for = -1
        deadline = monotonic() + wait_s
        while done < len(requests):
            while sent < min(len(requests), done + self._window):
                kind, payload = requests[sent]
                self._link.write(encode_frame(Frame(kind, (first + sent) % SEQUENCES, payload)))
                sent += 1
            frame = self._receive(deadline)
            if frame is None:
                if tries_left == 0:
                    raise self._silence(requests[done][0], wait_s * (allowed + 1))
                tries_left -= 1
                sent, resent_for = done, -1
                deadline = monotonic() + wait_s
                continue
            gap = self._refusal(frame, first, len(requests))
            if gap is not None:
                # One burst in flight brings one refusal for each of its frames; one is enough.
                if done <= gap < sent and gap != resent_for:
                    sent = resent_for = gap
                continue
            index = (frame.sequence - first) % SEQUENCES
            if index >= sent or index in replies or frame.kind != requests[index][0] | REPLY:
                continue  # a reply that comes twice, or to a request of another time
            replies[index] = frame.payload
            deadline, tries_left = monotonic() + wait_s, allowed
            while done in replies:
                done += 1
        return [replies[i] for i in range(len(requests))]

    def _receive(self, deadline: float) -> Frame | None:
        """The next frame; None if there is none before ``deadline``."""
        while not self._pending:
            left = deadline - monotonic()
            if left <= 0:
                return None
            self._pending = self._reader.feed(self._link.read(left))
        return self._pending.pop(0)

    def _refusal(self, frame: Frame, first: int, count: int) -> int | None:
        """The index from which a refusal asks to send again; None if ``frame`` is no refusal."""
        if frame.kind == Message.CRASH:
            raise self._crash(frame)
        if frame.kind != Message.REFUSED:
            return None
        try:
            reason, expected = decode_refused(frame.payload)
        except ProtocolError:
            return count
        if reason == Refusal.SEQUENCE:
            return (expected - first) % SEQUENCES
        if (frame.sequence - first) % SEQUENCES >= count:
            return count  # of another time
        if reason == Refusal.NO_SESSION:
            raise DeviceError(
                "the firmware has started again in the middle of the session",
                "was the board reset, or is its power supply weak?",
            )
        raise DeviceError(f"the firmware refused a request (reason {reason})")

    def _crash(self, frame: Frame) -> DeviceError:
        try:
            crash: Crash = decode_crash(frame.payload)
        except ProtocolError as error:
            return DeviceError(f"the firmware crashed; {error}")
        text = f"the firmware crashed: {crash.cause}"
        if crash.pc:
            text += f" at {self._where(crash.pc)}, called from {self._where(crash.lr)}"
        return DeviceError(text)

    def _silence(self, request: Message, waited_s: float) -> DeviceError:
        what = f"no answer to {request.name} within {waited_s:.0f} s"
        if self._reader.damaged:
            what += f"; {self._reader.damaged} damaged frames arrived"
        hint = "the firmware hangs, or something else talks on the line"
        if request is Message.IDENTIFY:
            hint = "is this the right port, and is tinygen's firmware on the device?"
        return DeviceError(what, hint)
