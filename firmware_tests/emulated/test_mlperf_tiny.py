"""Firmware that speaks MLPerf Tiny's protocol, driven by a client that knows only the protocol."""

import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from firmware_tests.kernels.harness import SANITIZERS
from firmware_tests.kernels.tensors import constant
from firmware_tests.mlperf_client import MlperfClient, measurement
from firmware_tests.models import parts, samples
from tinygen import reference
from tinygen.board import Board
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.compile import Options, compile_graph
from tinygen.errors import DeviceError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import App, choose_target
from tinygen.frontend.tflite import read_model
from tinygen.ir import Activation, Array, DType, Graph, Numerics, Tensor
from tinygen.ops.fully_connected import FullyConnected
from tinygen.run.runners import runner_for
from tinygen.vectors import draw_vectors

pytestmark = pytest.mark.emulated

PROFILE = "ULPMark for tinyML Firmware V0.0.1"
NAMES = ("native", "mps2-an386", "qemu-rv32imc", "qemu-lx106")
DIGITS = Path(__file__).parents[2] / "examples" / "digits"


def digits() -> Graph:
    file = DIGITS / "digits.tflite"
    return read_model(file.read_bytes(), file.name, Numerics.TFLM)


def project(graph: Graph, board: Board, directory: Path, app: App = App.MLPERF_TINY) -> Path:
    core = board.core
    program = compile_graph(graph, "sample.tflite", "ab" * 32, core.name, core.isa, Options())
    write_project(program, choose_target(board, app=app), directory)
    return directory


def build_native(directory: Path, *cflags: str, cppflags: str = "") -> Path:
    """The project's program for this computer, with the flags of a test."""
    command = ["make", "--silent", f"CFLAGS={' '.join(('-O1', '-g', *cflags))}"]
    environment = os.environ | {"CPPFLAGS": cppflags}
    subprocess.run(command, cwd=directory, env=environment, check=True, timeout=120)
    return directory / "build" / "firmware"


class SessionOverError(Exception):
    """The protocol cannot end an emulator: leave it as after an error, which does not wait."""


@contextmanager
def client_of(board: Board, image: Path) -> Iterator[MlperfClient]:
    with suppress(SessionOverError), runner_for(board).open(board, image) as link:
        yield MlperfClient(link)
        raise SessionOverError


def values(tensor: Tensor, data: Array) -> list[np.float32]:
    """What the elements stand for."""
    if tensor.dtype is DType.FLOAT32:
        return list(data.reshape(-1))
    steps = data.reshape(-1).astype(np.int64) - tensor.zero_point
    return list(steps.astype(np.float32) * np.float32(tensor.scale))


def shown(graph: Graph, outputs: Sequence[Array]) -> str:
    """The line that tells these outputs."""
    pairs = zip(graph.outputs, outputs, strict=True)
    numbers = [f"{float(v):.3f}" for tensor, data in pairs for v in values(tensor, data)]
    return f"m-results-[{','.join(numbers)}]"


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_session_gives_the_references_results(name: str, tmp_path: Path) -> None:
    graph, board = digits(), load_board(name)
    image = build(project(graph, board, tmp_path / "p")).image
    with client_of(board, image) as client:
        lines = client.boot()
        assert [lines[0], lines[-1]] == ["m-timestamp-mode-performance", "m-init-done"]
        assert client.name() == board.name
        assert client.profile() == {"profile": PROFILE, "model": "digits"}
        listed = "\n".join(client.command("help"))
        assert all(word in listed for word in ("name", "db load N", "infer N", "results"))
        times = [client.timestamp() for _ in range(3)]
        for inputs in draw_vectors(graph, 2, seed=5).inputs:
            data, want = inputs[0].tobytes(), shown(graph, reference.run(graph, inputs))
            assert client.command(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
            assert client.load(data) == ["m-load-done"]
            assert client.buffer() == data
            assert client.buffer("10 3") == data[3:13]
            # An inference overwrites its input: each needs it anew.
            for count, warmups in ((1, 0), (3, 2)):
                found = client.infer(count, warmups)
                names = [line.partition("us-")[0] for line in found.lines[:-1]]
                assert names == [
                    f"m-warmup-start-{warmups}", "m-warmup-done", f"m-infer-start-{count}",
                    "m-lap-", "m-lap-", "m-infer-done",
                ]  # fmt: skip
                assert found.lines[-1] == want
                assert found.microseconds >= 0
                times += found.laps
            assert client.command("results") == [want]
        times.append(client.timestamp())
        assert times == sorted(times)
        assert times[-1] > times[0]
        check_mistakes(client, len(data))


def check_mistakes(client: MlperfClient, size: int) -> None:
    """Each mistake is one line of error, and what comes after it works."""
    for command in (
        "nonsense", "NAME", "setbaud 9600", "db", "db load", "db load 0", "db load -3",
        "db load 7x", f"db load {size + 1}", "db load 99999999999999999999", "db print x",
        "db print 1 y", "infer 0", "infer -1", "infer x", "infer 1 -1", "infer 4294967296",
        "db 00" + 200 * "0", "infer 1", "results",
    ):  # fmt: skip
        assert [line[:3] for line in client.command(command)] == ["e-["], command
    assert client.command("nonsense") == ["e-[Unknown command: nonsense]"]
    assert client.command(b"\xff\x01]" + b"A" * 40) == [f"e-[Unknown command: ???{'A' * 29}]"]
    assert client.command("db 00") == ["e-[db load comes first]"]
    assert client.command(f"db load {size}") == [f"m-[Expecting {size} bytes]"]
    for digits_ in ("0", "0g", "000", "zz"):
        assert [line[:3] for line in client.command(f"db {digits_}")] == ["e-["]
    assert client.buffer() == b""
    assert client.command("db 0aBC") == []
    assert client.buffer() == b"\x0a\xbc"
    assert client.command("infer 1") == [f"e-[the model takes {size} bytes, and 2 are loaded]"]
    for _ in range(size - 3):
        assert client.command("db 11") == []
    # A runner may fill its last command up.
    assert client.command("db 22334455") == ["m-load-done"]
    assert client.command("db 66") == ["e-[all bytes are here already]"]
    assert client.buffer(f"9 {size - 2}") == b"\x11\x22"
    assert client.command("") == []
    assert client.command(" \r\n name\n") == client.command("name")
    assert client.infer(1).lines[-1].startswith("m-results-[")


@pytest.mark.parametrize("sample", [samples.residual, samples.add], ids=lambda s: s.__name__)
def test_several_inputs_and_outputs_follow_one_another(
    sample: Callable[[], Graph], tmp_path: Path
) -> None:
    graph, board = sample(), load_board("native")
    image = build_native(project(graph, board, tmp_path / "p"), *SANITIZERS)
    with client_of(board, image) as client:
        client.boot()
        for inputs in draw_vectors(graph, 3, seed=6).inputs:
            client.load(b"".join(x.tobytes() for x in inputs))
            assert client.infer(2, 1).lines[-1] == shown(graph, reference.run(graph, inputs))


def test_images_arrive_as_pixels(tmp_path: Path) -> None:
    graph, board = digits(), load_board("native")
    image = build_native(project(graph, board, tmp_path / "p", App.MLPERF_TINY_IC))
    pixels = np.random.default_rng(7).integers(0, 256, graph.inputs[0].shape)
    inputs = ((pixels - 128).astype(np.int8),)
    with client_of(board, image) as client:
        client.boot()
        assert client.profile()["model"] == "ic01"
        client.load(pixels.astype(np.uint8).tobytes())
        assert client.buffer() == pixels.astype(np.uint8).tobytes()
        assert client.infer(1).lines[-1] == shown(graph, reference.run(graph, inputs))


def test_key_words_arrive_as_the_models_bytes(tmp_path: Path) -> None:
    graph, board = digits(), load_board("native")
    image = build_native(project(graph, board, tmp_path / "p", App.MLPERF_TINY_KWS))
    inputs = draw_vectors(graph, 1, seed=8).inputs[0]
    with client_of(board, image) as client:
        client.boot()
        assert client.profile()["model"] == "kws01"
        client.load(inputs[0].tobytes())
        assert client.infer(1).lines[-1] == shown(graph, reference.run(graph, inputs))


def autoencoder() -> Graph:
    """As many numbers out as in, with other scales."""
    x = parts.activation("x", (1, 24), 0.4, 89)
    y = parts.activation("y", (1, 24), 0.3, 96)
    kernel = constant("w", (24, 24), 0.01, 0, np.random.default_rng(9))
    op = FullyConnected("y", (x, kernel, parts.bias("b", 24)), (y,), Activation.NONE, False)
    return Graph("autoencoder", (x,), (y,), (op,))


@pytest.mark.parametrize("name", NAMES[:2])
def test_anomalies_are_the_error_of_the_float_input(name: str, tmp_path: Path) -> None:
    graph, board = autoencoder(), load_board(name)
    image = build(project(graph, board, tmp_path / "p", App.MLPERF_TINY_AD)).image
    x, rng = graph.inputs[0], np.random.default_rng(10)
    with client_of(board, image) as client:
        client.boot()
        assert client.profile()["model"] == "ad01"
        for spread in (1.0, 30.0, 1e4):
            floats = rng.normal(0.0, spread, x.elements).astype(np.float32)
            steps = floats / np.float32(x.scale)
            steps = np.trunc(steps + np.copysign(np.float32(0.5), steps)) + x.zero_point
            quantized = np.clip(steps, -128, 127).astype(np.int8).reshape(x.shape)
            outputs = reference.run(graph, (quantized,))
            error = np.float32(0.0)
            for got, wanted in zip(values(graph.outputs[0], outputs[0]), floats, strict=True):
                error += (got - wanted) * (got - wanted)
            client.load(floats.tobytes())
            found = client.infer(2, 1).lines[-1]
            assert found == f"m-results-[{float(error / np.float32(x.elements)):.3f}]"


def test_floats_that_are_no_numbers_do_no_harm(tmp_path: Path) -> None:
    board = load_board("native")
    directory = project(autoencoder(), board, tmp_path / "p", App.MLPERF_TINY_AD)
    image = build_native(directory, *SANITIZERS)
    with client_of(board, image) as client:
        client.boot()
        client.load(np.array([np.nan, np.inf, -np.inf, 3e38] * 6, np.float32).tobytes())
        assert client.infer(1).lines[-1] == "m-results-[nan]"


def test_a_crash_is_told_before_the_silence(tmp_path: Path) -> None:
    board = load_board("mps2-an386")
    directory = project(digits(), board, tmp_path / "p")
    file = directory / "src" / "device" / "firmware_model.c"
    text = file.read_text()
    assert text.count("digits_invoke();") == 1
    file.write_text(text.replace("digits_invoke();", '__asm volatile("udf #0");'))
    said = b""
    with (
        pytest.raises(DeviceError, match="QEMU ended"),
        runner_for(board).open(board, build(directory).image) as link,
    ):
        client = MlperfClient(link)
        client.boot()
        client.load(bytes(64))
        link.write(b"infer 1 0%")
        for _ in range(1000):  # a read may bring a single byte
            said += link.read(10.0)
    last = said.decode().splitlines()[-1]
    assert re.fullmatch(r"e-\[the processor faulted: exception 3 at 0x0000[0-9a-f]{4}\]", last)


PIN = """
#include "device/mlperf.h"
#include "mlperf_text.h"

void mlperf_pin(bool high)
{
    text_put(high ? "pin high\\r\\n" : "pin low\\r\\n");
}
"""


def test_energy_mode_marks_time_with_the_pin(tmp_path: Path) -> None:
    graph, board = digits(), load_board("native")
    directory = project(graph, board, tmp_path / "p")
    (directory / "src" / "device" / "pin.c").write_text(PIN)
    image = build_native(directory, cppflags="-DMLPERF_ENERGY=1")
    inputs, pulse = draw_vectors(graph, 1, seed=11).inputs[0], ["pin low", "pin high"]
    with client_of(board, image) as client:
        first, *rest = client.boot()
        assert [first, *rest] == ["pin high", "m-timestamp-mode-energy", *pulse, "m-init-done"]
        assert client.command("timestamp") == pulse
        client.load(inputs[0].tobytes())
        assert client.command("infer 2 1") == [
            "m-warmup-start-1", "m-warmup-done", "m-infer-start-2", *pulse, *pulse, "m-infer-done",
            shown(graph, reference.run(graph, inputs)),
        ]  # fmt: skip


def noise(draw: random.Random) -> bytes:
    """One command that no runner would send, or only almost."""
    numbers = ("", "0", "1", "-1", "3", "64", "65", "7x", "4294967296", "9" * 30, "\x00", "%")
    words = ("db", "load", "print", "infer", "results", "name", "profile", "timestamp", "help")
    kind = draw.randrange(6)
    if kind == 0:
        return draw.randbytes(draw.randrange(400))
    if kind == 1:
        return b"db " + draw.randbytes(draw.randrange(80)).hex().encode()
    if kind == 2:
        return b"db " + bytes(draw.choices(b"0123456789abcdefABCDEFg ", k=draw.randrange(180)))
    if kind == 3:
        return f"infer {draw.choice(('', '1', '2', 'x', '-5'))} {draw.choice(numbers[:5])}".encode()
    if kind == 4:
        return " ".join(draw.choices(words[:3] + words[4:] + numbers, k=draw.randrange(6))).encode()
    return f"db {draw.choice(words[1:3])} {draw.choice(numbers)} {draw.choice(numbers)}".encode()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits' program with sanitizers."""
    directory = tmp_path_factory.mktemp("guarded") / "p"
    return build_native(project(digits(), load_board("native"), directory), *SANITIZERS)


@pytest.mark.parametrize("seed", range(4))
def test_a_flood_of_noise_never_harms_the_firmware(guarded: Path, seed: int) -> None:
    draw, graph = random.Random(seed), digits()
    flood = b"%".join(noise(draw) for _ in range(1500))
    inputs = draw_vectors(graph, 1, seed).inputs[0]
    data = inputs[0].tobytes()
    healthy = [
        "",
        "profile",
        f"db load {len(data)}",
        f"db {data[:32].hex()}",
        f"db {data[32:].hex()}",
    ]
    session = flood + "%".join([*healthy, "infer 1 0", ""]).encode()
    done = subprocess.run([guarded], input=session, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    answers = done.stdout.decode("ascii").split("m-ready\r\n")
    assert len(answers) > 1500
    assert answers.pop() == ""
    assert f"m-profile-[{PROFILE}]\r\nm-model-[digits]\r\n" in answers[-6:]
    found = measurement(answers[-1].splitlines())
    assert found.lines[-1] == shown(graph, reference.run(graph, inputs))
