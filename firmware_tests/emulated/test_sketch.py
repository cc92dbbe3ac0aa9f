"""Generated Arduino sketches and ESP-IDF applications, run on stand-ins for their frameworks.

What this proves is the generated code: that it compiles, without a warning, against the framework's
names, and that it then answers the host as firmware does. What the vendors' own code does with it,
only a board can tell.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from firmware_tests.mlperf_client import MlperfClient
from firmware_tests.sketch.building import (
    ARDUINO,
    ESPIDF,
    HERE,
    Compilers,
    behind_a_terminal,
    build_process,
    compile_all,
    model_objects,
    project_flags,
    run,
    sketch_sources,
)
from firmware_tests.sketch.cores import arduino_core
from firmware_tests.tiers import Prove
from tinygen.board import Board, Framework
from tinygen.board.file import all_boards, load_board
from tinygen.compile import Options
from tinygen.emit import Program
from tinygen.errors import DeviceError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import App, Target, choose_target
from tinygen.ir import Numerics
from tinygen.model import Model, compile_loaded, load_model
from tinygen.run.device import Device, Expected
from tinygen.run.link import Patience, RunOptions
from tinygen.run.runners import open_device
from tinygen.run.serial import SerialLink
from tinygen.vectors import Vectors, load_vectors

pytestmark = pytest.mark.emulated

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
CPU_HZ = 240_000_000
SKETCHED = [b for b in all_boards() if Framework.ARDUINO in b.frameworks]
ESPIDF_BOARDS = [b for b in all_boards() if Framework.ESPIDF in b.frameworks]
PATIENT = Patience(boot_s=10.0, reply_s=5.0)


@cache
def digits() -> Model:
    return load_model(EXAMPLE / "digits.tflite", Numerics.TFLM)


@cache
def example_vectors() -> Vectors:
    return load_vectors(EXAMPLE / "digits_vectors.npz", digits().graph, Numerics.TFLM)


def write_sketch(target: Target, directory: Path) -> Program:
    program = compile_loaded(digits(), target, Options())
    write_project(program, target, directory)
    return program


@contextmanager
def sketch_on_a_port(
    target: Target, directory: Path, environment: dict[str, str] | None = None
) -> Iterator[tuple[str, Path]]:
    """The target's project, built on its stand-in and running; gives its port, and the image."""
    write_sketch(target, directory)
    if target.framework is Framework.ARDUINO:
        flags, stand_in = arduino_core(target.board).flags, ARDUINO / "arduino_posix.cpp"
    else:
        flags, stand_in = (), ESPIDF / "espidf_posix.c"
    image = build_process(directory, stand_in, flags)
    with behind_a_terminal(image, environment) as port:
        yield port, image


@contextmanager
def connected(target: Target, port: str, image: Path) -> Iterator[Device]:
    """What `tinygen test --port` uses, on ``port``."""
    expected = Expected(model_sha256=digits().sha256, board=target.board.name)
    options = RunOptions(runner="serial", port=port, patience=PATIENT)
    with open_device(target.board, image, expected, options) as device:
        yield device


def check_outputs(device: Device, count: int | None = None) -> None:
    """The example's vectors, or the first ``count``, byte for byte."""
    vectors = example_vectors()
    assert vectors.expected is not None
    got = [device.run(inputs).outputs[0] for inputs in vectors.inputs[:count]]
    want = [outputs[0] for outputs in vectors.expected[:count]]
    np.testing.assert_array_equal(np.stack(got), np.stack(want))


@pytest.mark.parametrize("board", SKETCHED, ids=lambda b: b.name)
def test_the_sketch_compiles_for_the_boards_core_without_a_warning(
    board: Board, tmp_path: Path
) -> None:
    compilers = Compilers(board.core.cross, board.cflags)
    if not board.core.cross or compilers.missing:
        pytest.skip(f"there is no compiler for {board.core.title} here")
    write_sketch(choose_target(board, "arduino"), tmp_path / "p")
    sources = [s for s in sketch_sources(tmp_path / "p") if s.parent.name == "src"]
    assert {"main.cpp", "port_arduino.cpp", "port.c"} <= {s.name for s in sources}
    flags = [*project_flags(tmp_path / "p"), *arduino_core(board).flags]
    compile_all(sources, compilers, [*flags, f"-I{ARDUINO}", f"-I{ESPIDF}"], tmp_path / "objects")


@pytest.mark.parametrize("board", SKETCHED, ids=lambda b: b.name)
def test_an_arduino_sketch_behind_a_terminal_gives_the_examples_outputs(
    board: Board, tmp_path: Path, prove: Prove
) -> None:
    target = choose_target(board, "arduino")
    with (
        sketch_on_a_port(target, tmp_path / "p") as (port, image),
        connected(target, port, image) as device,
    ):
        check_outputs(device)
        identity = device.identity
        assert (identity.framework, identity.app) == ("arduino", "device")
        esp32 = arduino_core(board).name.startswith("ESP32")
        assert identity.timer_hz == (CPU_HZ if esp32 else 1_000_000)
        check_status(device, (8192, 3192) if esp32 else (0, 0))
        check_times(device, target)
        # A reset is a new start of the process: nothing of the session is left, and it works again.
        device.reset()
        check_outputs(device, 3)
    prove(board.name, "sketch", "arduino")


@pytest.mark.parametrize("board", ESPIDF_BOARDS, ids=lambda b: b.name)
@pytest.mark.parametrize("port_name", ["uart0", "usb"])
def test_an_espidf_application_behind_a_terminal_gives_the_examples_outputs(
    board: Board, port_name: str, tmp_path: Path, prove: Prove
) -> None:
    target = choose_target(replace(board, serial=replace(board.serial, port=port_name)), "espidf")
    with (
        sketch_on_a_port(target, tmp_path / "p") as (port, image),
        connected(target, port, image) as device,
    ):
        check_outputs(device)
        assert (device.identity.framework, device.identity.timer_hz) == ("espidf", CPU_HZ)
        check_status(device, (8192, 3192))
        check_times(device, target)
        device.reset()
        check_outputs(device, 3)
    prove(board.name, "sketch", "espidf")


def test_espidfs_cmake_builds_the_same_application(tmp_path: Path) -> None:
    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("needs cmake")
    target = choose_target(load_board("esp32-c3-devkitm-1"), "espidf")
    project, build = tmp_path / "p", tmp_path / "p" / "build"
    write_sketch(target, project)
    environment = os.environ | {"IDF_PATH": str(ESPIDF)}
    run([cmake, "-S", str(project), "-B", str(build)], environment)
    run([cmake, "--build", str(build)], environment)
    image = build / "digits_firmware.elf"
    with behind_a_terminal(image) as port, connected(target, port, image) as device:
        check_outputs(device)


def check_status(device: Device, stack: tuple[int, int]) -> None:
    status = device.status()
    assert (status.stack_bytes, status.stack_used) == stack
    assert status.damaged_frames == 0


def check_times(device: Device, target: Target) -> None:
    layers = compile_loaded(digits(), target, Options()).layers
    assert len(device.counters(example_vectors().inputs[0]).layers) == len(layers)
    times = device.benchmark(3)
    assert 0 < times.shortest <= times.longest


@pytest.mark.parametrize("framework", ["arduino", "espidf"])
def test_an_arena_beyond_the_static_limit_comes_from_the_heap(
    framework: str, tmp_path: Path
) -> None:
    board = load_board("esp32dev")
    assert board.layout is not None
    board = replace(board, layout=replace(board.layout, static_limit=1))
    target = choose_target(board, framework)
    room = str(digits_arena(target))
    with (
        sketch_on_a_port(target, tmp_path / "p", {"SKETCH_HEAP": room}) as (port, image),
        connected(target, port, image) as device,
    ):
        check_outputs(device)


@pytest.mark.parametrize("framework", ["arduino", "espidf"])
def test_an_arena_in_external_ram_does_not_use_the_chips_own(
    framework: str, tmp_path: Path
) -> None:
    target = choose_target(load_board("esp32cam"), framework, psram=True)
    with (
        sketch_on_a_port(target, tmp_path / "p", {"SKETCH_PSRAM": "4194304"}) as (port, image),
        connected(target, port, image) as device,
    ):
        check_outputs(device)


@pytest.mark.parametrize("framework", ["arduino", "espidf"])
def test_a_board_without_the_memory_says_so_and_never_answers(
    framework: str, tmp_path: Path
) -> None:
    target = choose_target(load_board("esp32cam"), framework, psram=True)
    arena = digits_arena(target)
    with sketch_on_a_port(target, tmp_path / "p", {"SKETCH_HEAP": "999999"}) as (port, image):
        link = SerialLink(port)
        line = read_until(link, b"\0")
        link.close()
        words = f"error: the board has no free memory of {arena} bytes for the model's arena"
        assert words in line.decode("ascii")
        options = RunOptions(runner="serial", port=port, patience=Patience(boot_s=2.0))
        with (
            pytest.raises(DeviceError, match=words),
            open_device(target.board, image, None, options),
        ):
            pytest.fail("it answered")


def digits_arena(target: Target) -> int:
    """The arena's bytes, as the C union that holds them has them."""
    arena = compile_loaded(digits(), target, Options()).memory.arena_bytes
    return -(-arena // 8) * 8


def read_until(link: SerialLink, end: bytes) -> bytes:
    data = b""
    while end not in data:
        more = link.read(10.0)
        assert more, f"nothing more after {data!r}"
        data += more
    return data


def test_after_quit_a_board_stands_still_and_stays_alive(tmp_path: Path) -> None:
    target = choose_target(load_board("nano33ble"), "arduino")
    with (
        sketch_on_a_port(target, tmp_path / "p") as (port, image),
        connected(target, port, image) as device,
    ):
        device.quit()
        # behind_a_terminal() sees to it that the process is still there at the end.


def test_the_sketch_speaks_the_other_application_too(tmp_path: Path) -> None:
    target = choose_target(load_board("teensy41"), "arduino", App.MLPERF_TINY)
    with sketch_on_a_port(target, tmp_path / "p") as (port, _):
        link = SerialLink(port)
        link.write(b"name%")
        read_until(link, b"m-name-dut-[teensy41]\r\nm-ready\r\n")  # perhaps behind a greeting
        client = MlperfClient(link)
        vectors, output = example_vectors(), digits().graph.outputs[0]
        assert vectors.expected is not None
        steps = vectors.expected[0][0].reshape(-1).astype(np.float32) - output.zero_point
        client.load(vectors.inputs[0][0].tobytes())
        assert client.infer(1).results == pytest.approx(steps * output.scale, abs=0.0006)


def test_an_arduino_sketch_runs_on_an_emulated_cortex_m4(tmp_path: Path) -> None:
    """The sketch of a board, on tinygen's own start-up code and drivers for QEMU's MPS2."""
    below = load_board("mps2-an386")
    board = load_board("nucleo_f446re")
    compilers = Compilers(below.core.cross, below.cflags)
    if compilers.missing or shutil.which("qemu-system-arm") is None:
        pytest.skip("needs the Arm compilers and qemu-system-arm")
    target = choose_target(board, "arduino")
    write_sketch(target, tmp_path / "sketch")
    write_sketch(choose_target(below), tmp_path / "bare")
    image = link_for_qemu(tmp_path / "sketch", tmp_path / "bare", compilers, board)
    expected = Expected(model_sha256=digits().sha256, board=board.name)
    emulated = replace(below, name=board.name)
    with open_device(emulated, image, expected, RunOptions(patience=PATIENT)) as device:
        check_outputs(device)
        assert not device.identity.emulated
        # QEMU's cycle counter stands still; the sketch has to notice.
        assert device.identity.timer_hz == 1_000_000
        device.reset()
        check_outputs(device, 3)


def link_for_qemu(sketch: Path, bare: Path, compilers: Compilers, board: Board) -> Path:
    build = sketch / "build" / "qemu"
    sketch_flags = [*project_flags(sketch), f"-I{ARDUINO}", f"-I{HERE}", *arduino_core(board).flags]
    objects = compile_all(sketch_sources(sketch), compilers, sketch_flags, build / "sketch")
    objects += model_objects(sketch, compilers)
    below = [s for s in sorted((bare / "bare").glob("*.c")) if s.name != "main.c"]
    bare_flags = [f"-I{bare / 'src'}", f"-I{bare / 'bare'}"]
    rename = ["-include", str(ARDUINO / "rename_bare.h")]
    objects += compile_all(below, compilers, [*bare_flags, *rename], build / "bare")
    stand_in = [ARDUINO / "arduino_bare.cpp"]
    stand_in_flags = [*bare_flags, f"-I{ARDUINO}", *arduino_core(board).flags]
    objects += compile_all(stand_in, compilers, stand_in_flags, build / "arduino")
    image = build / "sketch.elf"
    run([
        f"{compilers.prefix}g++", *compilers.flags, "--specs=nano.specs", "--specs=nosys.specs",
        "-nostartfiles", "-T", str(bare / "linker.ld"), *map(str, objects), "-lm", "-o", str(image),
    ])  # fmt: skip
    return image
