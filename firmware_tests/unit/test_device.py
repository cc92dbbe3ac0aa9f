"""The device's end on the host: whatever the line does, a right answer or one error in time."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import sleep

import numpy as np
import pytest

from firmware_tests.models import samples
from firmware_tests.models.residual import SHA256, residual_program
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.errors import DeviceError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.ir import Graph
from tinygen.run.device import Device, Expected
from tinygen.run.frames import Frame, FrameReader, encode_frame
from tinygen.run.link import Patience
from tinygen.run.native import NativeRunner, PipeLink
from tinygen.run.protocol import LayerMode, Message, Refusal
from tinygen.run.qemu import QemuRunner
from tinygen.vectors import draw_vectors

SHORT = Patience(boot_s=0.6, reply_s=0.05, invoke_s=0.3, retries=3)
FIRMWARE = Expected(model_sha256=SHA256)

Answer = Callable[[Frame], bytes]


def identity() -> bytes:
    """The identity of a made-up firmware: one int8 input of 4, one output of 4, one layer."""
    texts = [t.encode() for t in ("model", SHA256, "board", "0", "--option", "bare", "device")]
    numbers = struct.pack("<BBHHHHHIII", 2, 1, 64, 4, 1, 1, 1, 8, 0, 1000)
    return numbers + b"".join(bytes((len(t),)) + t for t in texts)


def reply(frame: Frame, payload: bytes = b"") -> bytes:
    return encode_frame(Frame(frame.kind | 0x80, frame.session, frame.sequence, payload))


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
    advice = "look at it"

    def __init__(self, answer: Answer) -> None:
        self._answer, self._reader, self._out = answer, FrameReader(), b""

    def read(self, timeout_s: float) -> bytes:
        if not self._out:
            sleep(timeout_s)
        out, self._out = self._out, b""
        return out

    def restore(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            self._out += self._answer(frame)


def on(kind: Message, answer: Answer) -> Answer:
    """``answer`` to requests of one kind, healthy otherwise."""
    return lambda frame: answer(frame) if frame.kind == kind else healthy(frame)


def refused(reason: Refusal, expected: int = 0) -> Answer:
    payload = struct.pack("<BH", reason, expected)
    return lambda frame: encode_frame(replace(frame, kind=Message.REFUSED, payload=payload))


def crashed(payload: bytes) -> Answer:
    return lambda frame: encode_frame(Frame(Message.CRASH, frame.session, 0, payload))


def run_once(answer: Answer) -> tuple[int, ...]:
    device = Device(ScriptedLink(answer), SHORT)
    device.connect(FIRMWARE)
    outputs = device.run([np.zeros(4, np.int8)], LayerMode.CRC).outputs
    return tuple(outputs[0].tolist())


def test_a_healthy_firmware_answers() -> None:
    assert run_once(healthy) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "answer",
    [
        lambda f: healthy(f) + healthy(f),
        lambda f: b"\x13\x37\xff" + healthy(f),
        lambda f: healthy(replace(f, sequence=f.sequence - 1 & 0xFFFF)) + healthy(f),
        lambda f: healthy(replace(f, session=f.session ^ 1)) + healthy(f),
        lambda f: crashed(bytes(20))(replace(f, session=f.session ^ 1))[: f.sequence] + healthy(f),
        lambda f: encode_frame(replace(f, kind=0xD5, payload=b"log")) + healthy(f),
        lambda f: encode_frame(f) + healthy(f),
        lambda f: b"boot loader v1\r\n" + healthy(f),
    ],
    ids=[
        "every reply twice",
        "noise before",
        "an old reply before",
        "another session's before",
        "pieces of another session's crash",
        "a message of no kind",
        "an echo",
        "text before",
    ],
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
        (on(Message.IDENTIFY, lambda f: reply(f, b"\x03")), "protocol version 3, not 2"),
        (on(Message.INVOKE, refused(Refusal.NO_SESSION)), "started again"),
        (on(Message.WRITE, refused(Refusal.ARGUMENT)), r"refused a request \(reason 4\)"),
        (on(Message.WRITE, refused(Refusal.SEQUENCE, 12345)), "no answer to WRITE"),
        (
            on(Message.INVOKE, crashed(struct.pack("<5I", 3, 0x100, 0x200, 1 << 25, 0))),
            r"crashed: HardFault \(division by zero\) at 0x00000100, called from 0x00000200",
        ),
        (on(Message.INVOKE, crashed(b"?")), "crashed; the crash report is damaged"),
        (lambda f: crashed(bytes(20))(replace(f, session=7)), "crashed: check after"),
        (lambda f: healthy(replace(f, session=7)), "no answer to IDENTIFY within"),
        (lambda f: b"Brownout detected\r\n\0", "IDENTIFY(.|\n)*it printed: Brownout detected"),
        (lambda f: b"\x80\xff\r\nblinking\r\n", "IDENTIFY(.|\n)*it printed: blinking\n"),
        (lambda f: b"." * 200000, r"damaged frames arrived\n  it printed: \.{200}\n"),
    ],
)  # fmt: skip
def test_a_sick_firmware_is_one_error(answer: Answer, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        run_once(answer)


def test_another_models_firmware_is_refused() -> None:
    device = Device(ScriptedLink(healthy), SHORT)
    with pytest.raises(DeviceError, match=r"another model: 'model' \(abab.*not 'mine' \(cdcd"):
        device.connect(Expected(model="mine", model_sha256="cd" * 32))


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (Expected(board="pico"), "made for the board board, not pico"),
        (Expected(options="--other"), "was generated with --option, not --other"),
        (Expected(layers=3), "firmware has 1 layers, not 3"),
        (Expected(framework="arduino"), "the framework bare, not arduino"),
        (Expected(tinygen_version="9.9"), "generated by tinygen 0, not 9.9"),
    ],
)
def test_firmware_that_is_not_as_expected_is_refused_with_both_sides(
    expected: Expected, message: str
) -> None:
    device = Device(ScriptedLink(healthy), SHORT)
    with pytest.raises(DeviceError, match=message) as caught:
        device.connect(expected)
    assert "flash" in caught.value.hint


class BoardLink(ScriptedLink):
    """A scripted firmware on a port, where an interruption may be an accident."""

    def restore(self) -> bool:
        return True


def interrupted(times: int, then: Answer) -> Answer:
    """Refuse the first inferences as after a reset, and be what ``then`` is from there on."""
    left = [times]

    def answer(frame: Frame) -> bytes:
        if left[0] == 0:
            return then(frame)
        if frame.kind == Message.INVOKE:
            left[0] -= 1
            return refused(Refusal.NO_SESSION)(frame)
        return healthy(frame)

    return answer


def test_a_reset_board_gets_the_whole_vector_again_in_a_new_session() -> None:
    seen: list[Frame] = []

    def watched(frame: Frame) -> bytes:
        seen.append(frame)
        return behind(frame)

    notes: list[str] = []
    behind = interrupted(2, healthy)
    device = Device(BoardLink(watched), SHORT, progress=notes.append)
    device.connect(FIRMWARE)
    assert device.run([np.zeros(4, np.int8)]).outputs[0].tolist() == [1, 2, 3, 4]
    assert (
        notes == ["the firmware has started again in the middle of the session; trying again"] * 2
    )
    written = [f.session for f in seen if f.kind == Message.WRITE]
    assert len(set(written)) == len(written) == 3
    # An inference that went well gives the next one as many tries.
    behind = interrupted(2, healthy)
    device.run([np.zeros(4, np.int8)])
    behind = interrupted(3, healthy)
    with pytest.raises(DeviceError, match="started again") as caught:
        device.run([np.zeros(4, np.int8)])
    assert "again and again" in caught.value.hint


def test_a_board_that_comes_back_as_another_is_refused() -> None:
    other = on(Message.IDENTIFY, lambda f: reply(f, identity().replace(b"bare", b"cube")))
    device = Device(BoardLink(interrupted(1, other)), SHORT)
    device.connect(FIRMWARE)
    with pytest.raises(DeviceError, match="come back with another firmware"):
        device.run([np.zeros(4, np.int8)])


def test_a_crash_before_any_session_is_told_instead_of_the_programs_end() -> None:
    class Dying(ScriptedLink):
        def read(self, timeout_s: float) -> bytes:
            if data := super().read(0.0):
                return data
            raise DeviceError("the emulator ended")

    at_start = Frame(Message.CRASH, 0, 0, struct.pack("<5I", 3, 0x100, 0x200, 1 << 16, 0))
    device = Device(Dying(lambda frame: encode_frame(at_start)), SHORT)
    with pytest.raises(DeviceError, match=r"crashed: HardFault .undefined instruction. at 0x0"):
        device.connect()
    with pytest.raises(DeviceError, match="the emulator ended"):
        Device(Dying(lambda frame: b""), SHORT).connect()


def test_a_line_that_only_echoes_is_told() -> None:
    with pytest.raises(DeviceError, match="no answer to IDENTIFY") as caught:
        run_once(encode_frame)
    assert "comes back" in caught.value.hint


def test_a_wrong_input_is_the_callers_mistake() -> None:
    device = Device(ScriptedLink(healthy), SHORT)
    device.connect()
    with pytest.raises(ValueError, match=r"int8\(3,\), the model's is int8\(4,\)"):
        device.run([np.zeros(3, np.int8)])


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, Path]:
    """A model and its program for this computer."""
    board, graph = load_board("native"), samples.residual()
    directory = tmp_path_factory.mktemp("native") / "project"
    program = residual_program(board)
    write_project(program, choose_target(board), directory)
    return graph, build(directory).image


@contextmanager
def started(image: Path) -> Iterator[PipeLink]:
    with NativeRunner().open(load_board("native"), image) as link:
        yield link


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
        device.connect(FIRMWARE)
        # Somebody presses the reset button: another host's RESET is that, seen from here.
        other = Device(link, SHORT)
        other.connect(FIRMWARE)
        other._exchange.ask([(Message.RESET, b"")])
        with pytest.raises(DeviceError, match="started again"):
            device.run(draw_vectors(graph, 1, 0).inputs[0])


def test_reset_starts_anew_and_connects(native: tuple[Graph, Path]) -> None:
    graph, image = native
    inputs = draw_vectors(graph, 1, 0).inputs[0]
    with started(image) as link:
        device = Device(link, SHORT)
        device.connect(FIRMWARE)
        before = device.run(inputs).outputs
        assert device.reset().model_sha256 == SHA256
        assert np.array_equal(device.run(inputs).outputs[0], before[0])
        found = device.benchmark(3)
        assert found.shortest <= found.longest <= found.total


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
