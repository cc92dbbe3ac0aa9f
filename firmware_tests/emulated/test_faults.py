"""The same client over a socket, a pseudo-terminal and a line that breaks things on purpose.

Whatever the line does, each run ends with the oracle's outputs or with one DeviceError.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from firmware_tests.fault_proxy import FaultProxy, Faults, Port, PtyPort, TcpPort
from firmware_tests.models import samples
from firmware_tests.models.residual import SHA256, residual_program
from tinygen import reference
from tinygen.board import Board
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.cli import main
from tinygen.errors import DeviceError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.ir import Array
from tinygen.run.device import Device, Expected
from tinygen.run.link import Link, Patience
from tinygen.run.native import NativeRunner
from tinygen.run.protocol import LayerMode
from tinygen.run.qemu import QemuRunner
from tinygen.run.serial import SerialLink
from tinygen.vectors import draw_vectors

FIRMWARE = Expected(model_sha256=SHA256)
STUBBORN = Patience(boot_s=20.0, reply_s=0.04, invoke_s=20.0, retries=300)
SHORT = Patience(boot_s=0.6, reply_s=0.05, invoke_s=0.3, retries=3)
SIDE = 16  # 512 bytes in and 1536 out, which are many frames of 256
KINDS = Faults().kinds
EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
DIGITS, VECTORS = EXAMPLE / "digits.tflite", EXAMPLE / "digits_vectors.npz"


@dataclass(frozen=True)
class Firmware:
    """An image, how to start it, and what its model must answer."""

    start: Callable[[], AbstractContextManager[Link]]
    vectors: Sequence[tuple[Array, ...]]
    expected: Sequence[tuple[Array, ...]]
    layers: Sequence[tuple[int, ...]]


def built(board: Board, directory: Path) -> Path:
    """The firmware of one model, with frames as short as on a small board."""
    short = replace(board, serial=replace(board.serial, payload_bytes=256, window=4))
    write_project(residual_program(short, side=SIDE), choose_target(short), directory)
    return build(directory).image


def firmware(start: Callable[[], AbstractContextManager[Link]]) -> Firmware:
    graph = samples.residual(SIDE)
    vectors = draw_vectors(graph, 4, seed=1).inputs
    values = [reference.evaluate(graph, v) for v in vectors]
    return Firmware(
        start,
        vectors,
        [tuple(v[t] for t in graph.outputs) for v in values],
        [tuple(zlib.crc32(v[op.y].tobytes()) for op in graph.ops) for v in values],
    )


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    board = load_board("native")
    image = built(board, tmp_path_factory.mktemp("native") / "project")
    return firmware(lambda: NativeRunner().open(board, image))


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    board = load_board("mps2-an386")
    image = built(board, tmp_path_factory.mktemp("emulated") / "project")
    return firmware(lambda: at_once(QemuRunner().open(board, image)))


class _EndError(Exception):
    """Ends what was started without asking it to."""


@contextmanager
def at_once(started: AbstractContextManager[Link]) -> Iterator[Link]:
    """The link, whose emulator is not given the time to end by itself: nobody asks it to."""
    with suppress(_EndError), started as link:
        yield link
        raise _EndError


@contextmanager
def served(port: Port, behind: Firmware, faults: Faults) -> Iterator[FaultProxy]:
    with FaultProxy(port, behind.start, faults) as proxy:
        yield proxy


def port_of(kind: str, directory: Path) -> Port:
    return PtyPort(directory / "port") if kind == "pty" else TcpPort()


def run_all(
    url: str, behind: Firmware, patience: Patience, mode: LayerMode = LayerMode.OFF
) -> list[str]:
    """Run every vector and compare; returns the interruptions that were got over."""
    notes: list[str] = []
    link = SerialLink(url, return_s=10.0)
    try:
        device = Device(link, patience, progress=notes.append)
        device.connect(FIRMWARE)
        for number, inputs in enumerate(behind.vectors):
            found = device.run(inputs, mode)
            for got, want in zip(found.outputs, behind.expected[number], strict=True):
                assert np.array_equal(got, want), "a wrong verdict"
            assert found.layers == (behind.layers[number] if mode is LayerMode.CRC else ())
    finally:
        link.close()
    return notes


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_the_same_vectors_pass_over_a_terminal_and_a_socket(
    kind: str, native: Firmware, tmp_path: Path
) -> None:
    with served(port_of(kind, tmp_path), native, Faults()) as proxy:
        assert run_all(proxy.url, native, Patience()) == []
    assert not proxy.harm


@pytest.mark.emulated
@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_the_same_vectors_pass_over_a_terminal_in_front_of_an_emulator(
    kind: str, emulated: Firmware, tmp_path: Path
) -> None:
    with served(port_of(kind, tmp_path), emulated, Faults()) as proxy:
        assert run_all(proxy.url, emulated, Patience()) == []
    assert not proxy.harm


@pytest.mark.parametrize("seed", range(12))
def test_a_faulty_line_costs_time_and_no_output(
    seed: int, native: Firmware, tmp_path: Path
) -> None:
    port = port_of("pty" if seed % 2 else "tcp", tmp_path)
    with served(port, native, Faults(seed, gap=400)) as proxy:
        run_all(proxy.url, native, STUBBORN, LayerMode.CRC if seed % 3 else LayerMode.OFF)
    assert sum(proxy.harm.values()) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone_is_got_over(kind: str, native: Firmware, tmp_path: Path) -> None:
    faults = Faults(seed=KINDS.index(kind), gap=300, kinds=(kind,))
    with served(port_of("pty", tmp_path), native, faults) as proxy:
        run_all(proxy.url, native, STUBBORN)
    assert proxy.harm[kind] > 10


@pytest.mark.emulated
@pytest.mark.parametrize("seed", range(3))
def test_a_faulty_line_in_front_of_an_emulator(
    seed: int, emulated: Firmware, tmp_path: Path
) -> None:
    with served(port_of("pty", tmp_path), emulated, Faults(seed, gap=800)) as proxy:
        run_all(proxy.url, emulated, STUBBORN)
    assert proxy.harm


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_a_reset_and_an_unplugged_cable_cost_the_vector_another_run(
    seed: int, kind: str, native: Firmware, tmp_path: Path
) -> None:
    faults = Faults(restart_at=(700 + 130 * seed,), unplug_at=(2500 + 170 * seed,))
    with served(port_of(kind, tmp_path), native, faults) as proxy:
        notes = run_all(proxy.url, native, STUBBORN)
    assert proxy.harm == {"restart": 1, "unplug": 1}
    assert "started again" in notes[0]
    assert "is lost" in notes[1]


def test_a_board_that_resets_all_the_time_is_one_error(native: Firmware, tmp_path: Path) -> None:
    faults = Faults(restart_at=tuple(range(400, 40000, 300)))
    with (
        served(port_of("pty", tmp_path), native, faults) as proxy,
        pytest.raises(DeviceError, match="started again in the middle"),
    ):
        run_all(proxy.url, native, STUBBORN)


def test_a_cable_that_stays_unplugged_is_one_error(native: Firmware, tmp_path: Path) -> None:
    faults = Faults(unplug_at=(900,), gone_s=30.0)
    with served(port_of("pty", tmp_path), native, faults) as proxy:
        link = SerialLink(proxy.url, return_s=0.3)
        device = Device(link, SHORT)
        device.connect(FIRMWARE)
        with pytest.raises(DeviceError, match=r"is lost.* has not come back: there is no serial"):
            for inputs in native.vectors:
                device.run(inputs)
        link.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_line_that_is_hardly_one_ends_in_one_error(
    seed: int, native: Firmware, tmp_path: Path
) -> None:
    with (
        served(port_of("pty", tmp_path), native, Faults(seed, gap=8)) as proxy,
        pytest.raises(DeviceError, match="no answer to"),
    ):
        run_all(proxy.url, native, SHORT)


@pytest.mark.parametrize("seed", range(4))
def test_frames_of_earlier_sessions_change_nothing(
    seed: int, native: Firmware, tmp_path: Path
) -> None:
    """The proxy remembers whole frames; an IDENTIFY of the past even opens its session again."""
    with served(
        port_of("tcp", tmp_path), native, Faults(seed, gap=250, kinds=("replay",))
    ) as proxy:
        for _ in range(3):
            run_all(proxy.url, native, replace(STUBBORN, recoveries=50))
    assert proxy.harm["replay"] > 30


def tinygen(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_the_main_job_is_done_on_a_port_that_makes_trouble(tmp_path: Path) -> None:
    """`tinygen test --port` as a user types it, with a program in place of the board."""
    project = tmp_path / "project"
    assert tinygen("generate", DIGITS, "--board", "native", "-o", project).exit_code == 0
    image = build(project).image
    test = ("test", DIGITS, "--vectors", VECTORS, "--board", "native", "--no-flash", "--port")
    faults = Faults(restart_at=(1500,), unplug_at=(3000,))
    board = load_board("native")
    with FaultProxy(
        PtyPort(tmp_path / "port"), lambda: NativeRunner().open(board, image), faults
    ) as proxy:
        passed = tinygen(*test, proxy.url, "--json")
        other = tinygen(*test, proxy.url, "--optimize", "size")
        log = tinygen("monitor", "--port", proxy.url, "--seconds", "0.1")
    assert passed.exit_code == 0, passed.output
    found = json.loads(passed.stdout)
    assert found["passed"]
    assert found["runner"] == "serial"
    assert found["estimated_cycles"] is None
    assert found["instructions"] is None
    assert found["measured"]["method"] == "device timer"
    assert all(layer["measured_ticks"] > 0 for layer in found["layers"])
    assert passed.stderr.count("; trying again") == 2
    assert other.exit_code == 1
    assert "--optimize speed" in other.stderr
    assert "--optimize size" in other.stderr
    assert log.exit_code == 0
