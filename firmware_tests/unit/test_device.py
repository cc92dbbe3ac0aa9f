"""The device's end on the host: whatever the line does, a right answer or one error in time."""

import random
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from firmware_tests.models import samples
from tinygen import reference
from tinygen.board import load_board
from tinygen.build import build
from tinygen.compile import Options, compile_graph
from tinygen.errors import DeviceError
from tinygen.ir import Graph
from tinygen.project import write_project
from tinygen.run.device import Device, Patience
from tinygen.run.native import NativeRunner, PipeLink
from tinygen.run.protocol import (
    Frame,
    FrameReader,
    LayerMode,
    Message,
    Refusal,
    encode_frame,
)
from tinygen.run.qemu import QemuRunner
from tinygen.vectors import draw_vectors

SHORT = Patience(boot_s=0.6, reply_s=0.05, invoke_s=0.3, retries=3)
STUBBORN = Patience(boot_s=10.0, reply_s=0.05, invoke_s=10.0, retries=60)
SHA256 = "ab" * 32

Answer = Callable[[Frame], bytes]


def identity() -> bytes:
    """The identity of a made-up firmware: one int8 input of 4, one output of 4, one layer."""
    texts = [t.encode() for t in ("model", SHA256, "board", "0")]
    numbers = struct.pack("<BBHHHHHIII", 1, 1, 64, 4, 1, 1, 1, 8, 0, 1000)
    return numbers + b"".join(bytes((len(t),)) + t for t in texts)


def reply(frame: Frame, payload: bytes = b"") -> bytes:
    return encode_frame(Frame(frame.kind | 0x80, frame.sequence, payload))


def healthy(frame: Frame) -> bytes:
    """What a firmware answers whose model is the identity."""
    payloads = {
        Message.IDENTIFY: identity(),
        Message.TENSOR: struct.pack("<BBBxIfiI", 0, 1, 1, 4, 0.5, 0, 4),
        Message.INVOKE: struct.pack("<Q", 99),
        Message.READ: b"\1\2\3\4",
        Message.LAYERS: struct.pack("<I", 7),
    }
    return reply(frame, payloads.get(Message(frame.kind), b""))


class ScriptedLink:
    """A firmware made of one function from a request to the bytes that it answers with."""

    shared = None

    def __init__(self, answer: Answer) -> None:
        self._answer, self._reader, self._out = answer, FrameReader(), b""

    def read(self, timeout_s: float) -> bytes:
        if not self._out:
            until = monotonic() + timeout_s
            while monotonic() < until:
                pass
        out, self._out = self._out, b""
        return out

    def write(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            self._out += self._answer(frame)


def on(kind: Message, answer: Answer) -> Answer:
    """``answer`` to requests of one kind, healthy otherwise."""
    return lambda frame: answer(frame) if frame.kind == kind else healthy(frame)


def refused(reason: Refusal, expected: int = 0) -> Answer:
    payload = struct.pack("<BH", reason, expected)
    return lambda frame: encode_frame(Frame(Message.REFUSED, frame.sequence, payload))


def run_once(answer: Answer) -> tuple[int, ...]:
    device = Device(ScriptedLink(answer), SHORT)
    device.connect(SHA256)
    outputs = device.run([np.zeros(4, np.int8)], LayerMode.CRC).outputs
    return tuple(outputs[0].tolist())


def test_a_healthy_firmware_answers() -> None:
    assert run_once(healthy) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "answer",
    [
        lambda f: healthy(f) + healthy(f),
        lambda f: b"\x13\x37\xff" + healthy(f),
        lambda f: healthy(Frame(f.kind, f.sequence - 1 & 0xFFFF)) + healthy(f),
        lambda f: encode_frame(Frame(0x55, f.sequence, b"log")) + healthy(f),
    ],
    ids=["every reply twice", "noise before", "an old reply before", "a message of no kind"],
)
def test_what_is_no_reply_is_passed_over(answer: Answer) -> None:
    assert run_once(answer) == (1, 2, 3, 4)


def test_a_reply_that_is_lost_once_is_asked_for_again() -> None:
    seen: set[tuple[int, int]] = set()

    def first_lost(frame: Frame) -> bytes:
        key = (frame.kind, frame.sequence)
        if key in seen:
            return healthy(frame)
        seen.add(key)
        return b""

    assert run_once(first_lost) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda f: b"", "no answer to IDENTIFY within"),
        (lambda f: b"\x07garbage\0" * 5, "damaged frames arrived"),
        (lambda f: healthy(f)[:-3] + b"\x01\x01\0", "damaged frames arrived"),
        (on(Message.INVOKE, lambda f: b""), "no answer to INVOKE"),
        (on(Message.WRITE, lambda f: b""), "no answer to WRITE"),
        (on(Message.READ, lambda f: reply(f, b"\1\2\3")), "another number of output bytes"),
        (on(Message.INVOKE, lambda f: reply(f, b"\1")), "payload of the wrong length"),
        (on(Message.WRITE, lambda f: reply(f, b"\1")), "payload of the wrong length"),
        (on(Message.LAYERS, lambda f: reply(f, b"")), "payload of the wrong length"),
        (on(Message.TENSOR, lambda f: reply(f, b"??")), "nonsense"),
        (on(Message.IDENTIFY, lambda f: reply(f, b"\x02")), "protocol version 2, not 1"),
        (on(Message.INVOKE, refused(Refusal.NO_SESSION)), "started again"),
        (on(Message.WRITE, refused(Refusal.ARGUMENT)), r"refused a request \(reason 4\)"),
        (on(Message.WRITE, refused(Refusal.SEQUENCE, 12345)), "no answer to WRITE"),
        (
            on(Message.INVOKE, lambda f: encode_frame(Frame(Message.CRASH, 0, struct.pack(
                "<5I", 3, 0x100, 0x200, 1 << 25, 0)))),
            r"crashed: HardFault \(division by zero\) at 0x00000100, called from 0x00000200",
        ),
        (on(Message.INVOKE, lambda f: encode_frame(Frame(Message.CRASH, 0, b"?"))), "crashed"),
    ],
)  # fmt: skip
def test_a_sick_firmware_is_one_error_in_bounded_time(answer: Answer, message: str) -> None:
    start = monotonic()
    with pytest.raises(DeviceError, match=message):
        run_once(answer)
    assert monotonic() - start < 5


def test_another_models_firmware_is_refused() -> None:
    device = Device(ScriptedLink(healthy), SHORT)
    with pytest.raises(DeviceError, match="runs another model, 'model'"):
        device.connect("cd" * 32)


def test_a_wrong_input_is_the_callers_mistake() -> None:
    device = Device(ScriptedLink(healthy), SHORT)
    device.connect()
    with pytest.raises(ValueError, match=r"int8\(3,\), the model's is int8\(4,\)"):
        device.run([np.zeros(3, np.int8)])


class FaultyWire:
    """One direction of a line that drops, flips, doubles and delays bytes, from a seed."""

    def __init__(self, seed: int, rate: float) -> None:
        self._random, self._rate = random.Random(seed), rate
        self._late = b""

    def carry(self, data: bytes) -> bytes:
        data, self._late = self._late + data, b""
        if not data or self._random.random() >= self._rate:
            return data
        at = self._random.randrange(len(data))
        fault = self._random.randrange(5)
        if fault == 0:
            return data[:at] + data[at + self._random.randrange(1, 9) :]
        if fault == 1:
            flipped = data[at] ^ 1 << self._random.randrange(8)
            return data[:at] + bytes((flipped,)) + data[at + 1 :]
        if fault == 2:
            return data + data
        if fault == 3:
            return b""
        self._late = data[at:]
        return data[:at]


class FaultyLink:
    """A link over two faulty wires."""

    shared = None

    def __init__(self, link: PipeLink, seed: int, rate: float) -> None:
        self._link = link
        self._in, self._out = FaultyWire(seed, rate), FaultyWire(seed + 1000, rate)

    def read(self, timeout_s: float) -> bytes:
        return self._in.carry(self._link.read(timeout_s))

    def write(self, data: bytes) -> None:
        self._link.write(self._out.carry(data))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, Path]:
    """A model and its program for this computer."""
    board, graph = load_board("native"), samples.residual()
    directory = tmp_path_factory.mktemp("native") / "project"
    program = compile_graph(
        graph, "residual.tflite", SHA256, board.core.name, board.core.isa, Options()
    )
    write_project(program, board, directory)
    return graph, build(directory).image


@contextmanager
def started(image: Path) -> Iterator[PipeLink]:
    with NativeRunner().open(load_board("native"), image) as link:
        yield link


@pytest.mark.parametrize("seed", range(8))
def test_a_faulty_line_gives_right_outputs_or_one_error(
    native: tuple[Graph, Path], seed: int
) -> None:
    graph, image = native
    with started(image) as link:
        device = Device(FaultyLink(link, seed, rate=0.2), STUBBORN)
        device.connect(SHA256)
        for inputs in draw_vectors(graph, 6, seed).inputs:
            outputs = device.run(inputs, LayerMode.CRC).outputs
            for got, want in zip(outputs, reference.run(graph, inputs), strict=True):
                assert np.array_equal(got, want)


def test_a_dead_line_ends_in_an_error_and_not_in_a_verdict(native: tuple[Graph, Path]) -> None:
    graph, image = native
    start = monotonic()
    with started(image) as link, pytest.raises(DeviceError, match="no answer to"):
        device = Device(FaultyLink(link, seed=1, rate=0.95), SHORT)
        device.connect(SHA256)
        for inputs in draw_vectors(graph, 50, 0).inputs:
            device.run(inputs)
    assert monotonic() - start < 30


def test_a_program_that_ends_is_told_with_its_status(tmp_path: Path) -> None:
    for body, message in (("exit 3", "ended with status 3"), ("kill -SEGV $$", "SIGSEGV")):
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        with pytest.raises(DeviceError, match=message), started(program) as link:
            Device(link, SHORT).connect()


def test_a_restart_in_the_middle_is_an_error(native: tuple[Graph, Path]) -> None:
    graph, image = native
    with started(image) as link:
        device = Device(link, SHORT)
        device.connect(SHA256)
        # Somebody presses the reset button: another host's RESET is that, seen from here.
        other = Device(link, SHORT)
        other._next = device._next
        other._exchange([(Message.RESET, b"")])
        with pytest.raises(DeviceError, match="started again"):
            device.run(draw_vectors(graph, 1, 0).inputs[0])


def test_reset_starts_anew_and_connects(native: tuple[Graph, Path]) -> None:
    graph, image = native
    inputs = draw_vectors(graph, 1, 0).inputs[0]
    with started(image) as link:
        device = Device(link, SHORT)
        device.connect(SHA256)
        before = device.run(inputs).outputs
        assert device.reset().model_sha256 == SHA256
        assert np.array_equal(device.run(inputs).outputs[0], before[0])
        assert device.benchmark(3).shortest <= device.benchmark(3).longest


def test_an_emulator_that_cannot_be_started_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    runner = QemuRunner()
    with (
        pytest.raises(DeviceError, match="cannot run qemu-system-arm"),
        runner.open(load_board("mps2-an386"), tmp_path / "image"),
    ):
        raise AssertionError("it was started")
