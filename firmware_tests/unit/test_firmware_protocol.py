"""The firmware's end of the protocol, frame by frame: what it answers, refuses and passes over."""

import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from firmware_tests.models import samples
from firmware_tests.models.residual import residual_program
from tinygen import reference
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.run.device import Device
from tinygen.run.frames import REPLY, SEQUENCES, Frame, FrameReader, encode_frame
from tinygen.run.native import NativeRunner, PipeLink
from tinygen.run.protocol import Message, Refusal, decode_identity, decode_refused
from tinygen.vectors import draw_vectors

OURS, OTHERS = 0x1234ABCD, 77
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=all"


class Line:
    """Raw frames to and from a firmware."""

    def __init__(self, link: PipeLink) -> None:
        self.link = link
        self.reader = FrameReader()

    def send(self, *frames: Frame) -> None:
        for frame in frames:
            self.link.write(encode_frame(frame))

    def receive(self, count: int, patience_s: float = 20.0) -> list[Frame]:
        """The next frames: as many as wanted, or what comes before patience ends."""
        frames: list[Frame] = []
        deadline = monotonic() + patience_s
        while len(frames) < count and (left := deadline - monotonic()) > 0:
            frames += self.reader.feed(self.link.read(left))
        return frames

    def ask(self, *frames: Frame) -> list[Frame]:
        self.send(*frames)
        return self.receive(len(frames))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    board, directory = load_board("native"), tmp_path_factory.mktemp("native") / "project"
    program = residual_program(board)
    write_project(program, choose_target(board), directory)
    build(directory)
    return directory


@pytest.fixture
def line(project: Path) -> Iterator[Line]:
    with NativeRunner().open(load_board("native"), project / "build" / "firmware") as link:
        yield Line(link)


def request(kind: int, sequence: int, payload: bytes = b"", session: int = OURS) -> Frame:
    return Frame(kind, session, sequence, payload)


def opened(line: Line, session: int = OURS) -> None:
    (reply,) = line.ask(request(Message.IDENTIFY, 0, session=session))
    assert (reply.kind, reply.session, reply.sequence) == (Message.IDENTIFY | REPLY, session, 0)


def refusal(frame: Frame, session: int = OURS) -> tuple[int, int, int]:
    """The number that is refused, why, and the number that is expected."""
    assert (frame.kind, frame.session) == (Message.REFUSED, session)
    return (frame.sequence, *decode_refused(frame.payload))


def test_the_line_begins_with_words_and_a_session_with_identify(line: Line) -> None:
    (reply,) = line.ask(request(Message.IDENTIFY, 0))
    assert [text.split(":")[1] for text in line.reader.lines] == [" residual on native"]
    identity = decode_identity(reply.payload)
    assert identity.model == "residual"
    assert identity.options == "--numerics tflm --optimize speed --arena static"
    assert (identity.framework, identity.app) == ("host", "device")
    assert line.ask(request(Message.IDENTIFY, 0)) == [reply]
    assert line.ask(request(Message.IDENTIFY, 1))[0].payload == reply.payload


def test_nothing_is_answered_before_or_outside_of_a_session(line: Line) -> None:
    assert refusal(line.ask(request(Message.STATUS, 5))[0])[:2] == (5, Refusal.NO_SESSION)
    assert refusal(line.ask(request(Message.IDENTIFY, 1))[0])[:2] == (1, Refusal.NO_SESSION)
    opened(line)
    (other,) = line.ask(request(Message.STATUS, 1, session=OTHERS))
    assert refusal(other, OTHERS)[:2] == (1, Refusal.NO_SESSION)
    opened(line, OTHERS)
    assert refusal(line.ask(request(Message.STATUS, 1))[0])[:2] == (1, Refusal.NO_SESSION)


def test_a_number_too_high_is_refused_and_an_old_one_answered_without_doing_it_again(
    line: Line,
) -> None:
    opened(line)
    assert refusal(line.ask(request(Message.STATUS, 3))[0]) == (3, Refusal.SEQUENCE, 1)
    write = request(Message.WRITE, 1, struct.pack("<HI", 0, 0) + bytes(range(32)))
    invoke = request(Message.INVOKE, 2, b"\0")
    read = request(Message.READ, 3, struct.pack("<HIH", 2, 0, 32))
    first = line.ask(write, invoke, read)
    assert first[2].payload == bytes(range(32))
    again = line.ask(invoke, write, request(Message.WRITE, 1, write.payload[:6] + bytes(32)), read)
    assert again == [first[1], first[0], first[0], first[2]]


def test_an_inference_before_the_last_one_is_refused_and_not_run(line: Line) -> None:
    opened(line)
    line.ask(request(Message.INVOKE, 1, b"\0"), request(Message.INVOKE, 2, b"\0"))
    (reply,) = line.ask(request(Message.INVOKE, 1, b"\0"))
    assert refusal(reply) == (1, Refusal.SEQUENCE, 3)


@pytest.mark.parametrize("kind", [0x00, 0x0C, 0x55, 0x7D])
def test_a_type_that_is_not_known_is_refused(line: Line, kind: int) -> None:
    opened(line)
    assert refusal(line.ask(request(kind, 1))[0]) == (1, Refusal.TYPE, 1)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Message.TENSOR, b""),
        (Message.TENSOR, struct.pack("<H", 4)),
        (Message.WRITE, struct.pack("<HI", 0, 31) + b"12"),
        (Message.WRITE, struct.pack("<HI", 0, 0xFFFFFFFF) + b"12"),
        (Message.WRITE, struct.pack("<HI", 1, 0) + b"1"),
        (Message.READ, struct.pack("<HIH", 0, 32, 1)),
        (Message.READ, struct.pack("<HIH", 3, 0, 1)),
        (Message.INVOKE, b"\3"),
        (Message.INVOKE, b"\0\0"),
        (Message.LAYERS, struct.pack("<HH", 1, 2)),
        (Message.BENCHMARK, struct.pack("<I", 0)),
        (Message.LOAD, struct.pack("<HI", 0, 0) + b"/etc/passwd"),
    ],
)
def test_a_request_for_what_is_not_there_is_refused(
    line: Line, kind: Message, payload: bytes
) -> None:
    opened(line)
    assert refusal(line.ask(request(kind, 1, payload))[0]) == (1, Refusal.ARGUMENT, 1)
    assert line.ask(request(Message.STATUS, 1))[0].kind == Message.STATUS | REPLY


def test_what_only_a_firmware_sends_is_not_answered(line: Line) -> None:
    """On a line that echoes, two ends would talk for ever."""
    opened(line)
    kinds = [Message.CRASH, Message.REFUSED, *(REPLY | kind for kind in Message)]
    line.send(*(request(kind, 1) for kind in kinds))
    assert [f.kind for f in line.ask(request(Message.STATUS, 1))] == [Message.STATUS | REPLY]
    assert line.receive(1, patience_s=0.05) == []


def test_damage_is_told_and_counted_inside_of_a_session(line: Line) -> None:
    line.link.write(b"\0garbage\0")
    opened(line)
    line.link.write(b"\0" + encode_frame(request(Message.INVOKE, 1, b"\0"))[1:-3] + b"\0")
    assert refusal(line.receive(1)[0]) == (1, Refusal.SEQUENCE, 1)
    (status,) = line.ask(request(Message.STATUS, 1))
    assert struct.unpack("<3I", status.payload)[2] == 1  # what came before is nobody's


def test_numbers_begin_again_after_the_last(line: Line) -> None:
    opened(line)
    tensor = struct.pack("<H", 0)
    for start in range(1, SEQUENCES, 4096):
        numbers = range(start, min(start + 4096, SEQUENCES))
        replies = line.ask(*(request(Message.TENSOR, n, tensor) for n in numbers))
        assert [r.sequence for r in replies] == list(numbers)
    identity = line.ask(request(Message.IDENTIFY, 0))  # the session is open: no new one
    assert identity[0].kind == Message.IDENTIFY | REPLY
    assert line.ask(request(Message.INVOKE, 1, b"\0"))[0].kind == Message.INVOKE | REPLY


@pytest.mark.parametrize("seed", range(4))
def test_no_frame_makes_the_firmware_touch_memory_that_is_not_its_own(
    seed: int, project: Path
) -> None:
    """Well-formed frames of random types and payloads, to firmware under the sanitizers."""
    image = sanitized(project)
    rng = random.Random(seed)
    # QUIT ends it, and a benchmark of four billion inferences is what was asked for.
    kinds = [k for k in (*Message, 0x00, 0x42) if k not in (Message.QUIT, Message.BENCHMARK)]
    board = load_board("native")
    with NativeRunner().open(board, image) as link:
        line = Line(link)
        opened(line)
        number = 1
        for _ in range(1500):
            small = struct.pack("<HIH", *(rng.choice((0, 1, 2, 31, 32, 0xFFFF)) for _ in range(3)))
            payload = rng.choice((small, rng.randbytes(40), b"\0", b"\2"))[: rng.randrange(41)]
            kind = rng.choice(kinds)
            line.send(request(kind, number, payload))
            if kind >= Message.CRASH:
                continue
            (reply,) = line.receive(1)
            if reply.kind == Message.RESET | REPLY:
                opened(line)
                number = 0
            number = number if reply.kind == Message.REFUSED else number + 1
        still_right(link, seed)


def still_right(link: PipeLink, seed: int) -> None:
    """What was sent before changes nothing for who comes next."""
    device = Device(link)
    device.connect()
    inputs = draw_vectors(samples.residual(), 1, seed).inputs[0]
    want = reference.run(samples.residual(), inputs)
    for got, expected in zip(device.run(inputs).outputs, want, strict=True):
        assert np.array_equal(got, expected)


@pytest.mark.parametrize("seed", range(4))
def test_no_bytes_whatever_do_so_either(seed: int, project: Path) -> None:
    """Noise, and frames that are cut, flipped, run together or far too long."""
    rng = random.Random(seed)
    sessions = (OURS, OTHERS)
    with NativeRunner().open(load_board("native"), sanitized(project)) as link:
        line = Line(link)
        for _ in range(1000):
            size = rng.choice((0, 1, 8, 253, 254, 255, 16384, 16385, 20000))
            frame = request(
                rng.choice((Message.IDENTIFY, Message.WRITE, Message.INVOKE, Message.READ)),
                rng.choice((0, 0, 1, 2, SEQUENCES - 1)),
                rng.randbytes(size) if rng.random() < 0.3 else bytes(min(size, 8)),
                rng.choice(sessions),
            )
            wire = bytearray(encode_frame(frame))
            match rng.choice(("whole", "flip", "cut", "join", "noise")):
                case "flip":
                    wire[rng.randrange(len(wire))] ^= 1 << rng.randrange(8)
                case "cut":
                    del wire[rng.randrange(len(wire)) :]
                case "join":
                    del wire[-1], wire[0]
                case "noise":
                    wire[:0] = rng.randbytes(rng.randrange(600))
            link.write(bytes(wire))
            frames = line.reader.feed(link.read(0.0))
            assert {f.session for f in frames} <= {*sessions}
        still_right(link, seed)
        assert line.reader.damaged == 0, "what the firmware itself sends is whole"


def sanitized(project: Path) -> Path:
    """The same program, built to stop at what C does not define."""
    image = project / "build" / "sanitized"
    if not image.exists():
        sources = [str(p) for p in (*project.glob("src/**/*.c"), *project.glob("lib/**/*.c"))]
        includes = [f"-I{project / 'src'}", *(f"-I{p}" for p in (project / "lib").iterdir())]
        defines = ["-DMODEL_LAYERS=2", "-DRESIDUAL_LAYER_HOOK=firmware_layer_hook"]
        subprocess.run(
            ["cc", "-std=c99", "-O1", "-g", *SANITIZE.split(), *includes, *defines, *sources,
             "-lm", "-o", str(image)],
            check=True,
        )  # fmt: skip
    return image
