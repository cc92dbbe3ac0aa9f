"""Boards on serial ports: found, opened, lost and found again; and what a user is told if not."""

import errno
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import serial
from serial.rfc2217 import PortManager
from serial.tools import list_ports

from firmware_tests.fault_proxy import FaultProxy, Faults, Port, PtyPort, TcpPort
from firmware_tests.models.residual import residual_program
from tinygen import __version__, reference
from tinygen.board import Board
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.emit import Program
from tinygen.errors import DeviceError, ToolError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.run.device import Expected
from tinygen.run.link import LinkLostError, RunOptions
from tinygen.run.measured import DEVICE_TIMER
from tinygen.run.native import NativeRunner
from tinygen.run.ports import PortError, open_port
from tinygen.run.runners import open_device, runner_for
from tinygen.run.serial import SerialLink
from tinygen.run.session import Session
from tinygen.vectors import draw_vectors


@dataclass(frozen=True)
class Built:
    """The firmware of one model as a program of this computer."""

    board: Board
    program: Program
    image: Path

    @contextmanager
    def on(self, port: Port) -> Iterator[str]:
        """Run it behind a port, as a board; the port's URL."""
        with FaultProxy(port, lambda: NativeRunner().open(self.board, self.image), Faults()):
            yield port.url

    def on_a_port(self, directory: Path) -> AbstractContextManager[str]:
        """Run it behind a pseudo-terminal, as a board behind a USB port."""
        return self.on(PtyPort(directory / "port"))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Built:
    board = load_board("native")
    program = residual_program(board)
    directory = tmp_path_factory.mktemp("native") / "project"
    write_project(program, choose_target(board), directory)
    return Built(board, program, build(directory).image)


def test_a_port_chooses_the_serial_runner(native: Built) -> None:
    assert runner_for(native.board).name == "native"
    assert runner_for(native.board, RunOptions(port="COM3")).name == "serial"
    with pytest.raises(ToolError, match="there is no runner 'serail'"):
        runner_for(native.board, RunOptions(runner="serail"))


def test_a_session_on_a_port_gives_outputs_and_measured_time(native: Built, tmp_path: Path) -> None:
    vectors = draw_vectors(native.program.graph, 6, seed=2).inputs
    with native.on_a_port(tmp_path) as url:
        session = Session(
            native.program, native.board, native.image, tmp_path, options=RunOptions(port=url)
        )
        run = session.run(vectors)
        crcs = session.trace(vectors[:2])  # a second connection to a device that ran on
    for outputs, inputs in zip(run.outputs, vectors, strict=True):
        for got, want in zip(outputs, reference.run(native.program.graph, inputs), strict=True):
            assert np.array_equal(got, want)
    assert len(crcs) == len(native.program.layers)
    assert run.counts is None
    assert run.measured is not None
    assert run.measured.method == DEVICE_TIMER
    assert run.measured.inferences == len(vectors)
    assert 0 < run.measured.fewest <= run.measured.ticks <= run.measured.most
    assert len(run.measured.layers) == len(native.program.layers)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"board": "pico"}, "made for the board native, not pico"),
        ({"model_sha256": "cd" * 32}, "another model: 'residual'"),
        ({"tinygen_version": "0"}, f"by tinygen {__version__}, not 0"),
        ({"options": "--optimize size"}, "generated with --numerics .*, not --optimize size"),
    ],
)
def test_other_firmware_on_the_port_is_refused(
    native: Built, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with (
        native.on_a_port(tmp_path) as url,
        pytest.raises(DeviceError, match=message),
        open_device(native.board, native.image, Expected(**change), RunOptions(port=url)),
    ):
        pytest.fail("it was taken for the right one")


def test_a_board_runs_on_after_its_session(native: Built, tmp_path: Path) -> None:
    with native.on_a_port(tmp_path) as url:
        for _ in range(2):
            with open_device(native.board, native.image, None, RunOptions(port=url)) as device:
                assert device.identity.board == "native"


def test_a_board_on_another_machine_is_reached_by_rfc2217(native: Built) -> None:
    with native.on(TcpPort()) as local, rfc2217_server(local) as url:
        inputs = draw_vectors(native.program.graph, 1, seed=3).inputs[0]
        with open_device(native.board, native.image, None, RunOptions(port=url)) as device:
            outputs = device.run(inputs).outputs
    assert np.array_equal(outputs[0], reference.run(native.program.graph, inputs)[0])


@contextmanager
def rfc2217_server(port: str) -> Iterator[str]:
    """Serve a serial port to one client on the network, as pyserial's own example does."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        serial.serial_for_url(port, timeout=0) as device,
    ):
        ended = threading.Event()

        def serve() -> None:
            client, _ = server.accept()
            client.settimeout(0.005)
            manager = PortManager(device, SimpleNamespace(write=client.sendall))
            with client:
                while not ended.is_set():
                    if data := device.read(4096):
                        client.sendall(b"".join(manager.escape(data)))
                    try:
                        data = client.recv(4096)
                    except TimeoutError:
                        continue
                    if not data:
                        return
                    device.write(b"".join(manager.filter(data)))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


def test_without_a_port_the_question_is_which(native: Built, tmp_path: Path) -> None:
    with (
        pytest.raises(ToolError, match="on which port is native") as caught,
        open_device(native.board, native.image, None, RunOptions(runner="serial")),
    ):
        pass
    assert "--port" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("loop://", "only echoes"),
        ("nonsense://x", "cannot be opened: .*nonsense"),
        ("socket://127.0.0.1:1", "cannot connect to socket://127.0.0.1:1: Connection refused"),
        ("socket://nowhere", "socket://nowhere has no port number"),
        ("/dev/there-is-no-such-port", "there is no serial port /dev/there-is-no-such-port"),
    ],
)
def test_a_port_that_cannot_be_opened_is_one_line_and_a_remedy(url: str, message: str) -> None:
    with pytest.raises(PortError, match=message) as caught:
        open_port(url, 115200)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2


def failing(*errors: Exception, then: object = None) -> Callable[..., object]:
    """A stand-in for pyserial that fails in some ways, one after the other."""
    left = list(errors)

    def serial_for_url(*args: object, **options: object) -> object:
        if left:
            raise left.pop(0)
        return then

    return serial_for_url


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (serial.SerialException(errno.EACCES, "not open"), "no permission to open", "dialout"),
        (serial.SerialException(errno.EBUSY, "could not open"), "in use by another", "close it"),
        (serial.SerialException(errno.EAGAIN, "not lock"), "in use by another", "close it"),
        (serial.SerialException(errno.ENXIO, "could not open"), "there is no serial port", "here"),
        (serial.SerialException("FileNotFoundError(2, 'x')"), "there is no serial port", "here"),
        (serial.SerialException("PermissionError(13, 'x')"), "in use by another", "close it"),
        (serial.SerialException("Could not configure port: (25,"), "is no serial port", "here"),
        (serial.SerialException(errno.EISDIR, "could not open"), "is no serial port", "here"),
        (serial.SerialException("whatever else"), "cannot open", "a port is a name"),
    ],
)  # fmt: skip
def test_the_reason_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str, hint: str
) -> None:
    monkeypatch.setattr(serial, "serial_for_url", failing(error))
    with pytest.raises(PortError, match=message) as caught:
        open_port("/dev/there-is-no-such-port", 115200)
    assert hint in caught.value.hint


def test_the_group_that_may_use_the_port_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = tmp_path / "port"
    port.touch()
    denied = serial.SerialException(errno.EACCES, "could not open")
    for group, hint in (("uucp", "usermod -aG uucp"), ("root", "udev-rules")):
        monkeypatch.setattr(Path, "group", lambda self, group=group: group)
        monkeypatch.setattr(serial, "serial_for_url", failing(denied))
        with pytest.raises(PortError) as caught:
            open_port(str(port), 115200)
        assert hint in caught.value.hint


def test_a_port_in_use_names_who_uses_it(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "port")
    port.plug()
    hold = (
        "import fcntl, os, sys; port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY);"
        "fcntl.flock(port, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, port.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(PortError, match=rf"is in use by another program \(.*{other.pid}\)"):
            open_port(port.url, 115200)
        other.communicate()
    port.unplug()


def test_a_port_that_appears_late_is_waited_for(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "port")
    appears = threading.Timer(0.3, port.plug)
    appears.start()
    try:
        SerialLink(port.url, wait_s=20.0).close()
    finally:
        appears.join()
        port.unplug()


def test_what_waiting_may_cure_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = SimpleNamespace()
    errors = [serial.SerialException(code, "no") for code in (errno.ENOENT, errno.EACCES)]
    monkeypatch.setattr(serial, "serial_for_url", failing(*errors, then=opened))
    assert open_port("/dev/ttyACM0", 115200, wait_s=20.0) is opened


class Gone:
    """A port whose device has been pulled out."""

    timeout: float | None = None

    def read(self, size: int) -> bytes:
        raise serial.SerialException("device reports readiness to read but returned no data")

    def close(self) -> None:
        pass


def test_a_device_that_comes_back_under_another_name_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linux gives a new number while somebody still holds the old one."""
    plugged = [SimpleNamespace(device="/dev/ttyACM97", serial_number="S1")]
    asked: list[str] = []

    def serial_for_url(url: str, **options: object) -> object:
        asked.append(url)
        return Gone()

    monkeypatch.setattr(list_ports, "comports", lambda: plugged)
    monkeypatch.setattr(serial, "serial_for_url", serial_for_url)
    link = SerialLink("/dev/ttyACM97")
    with pytest.raises(LinkLostError):
        link.read(0.1)
    plugged[:] = [
        SimpleNamespace(device="/dev/ttyACM96", serial_number="S2"),
        SimpleNamespace(device="/dev/ttyACM98", serial_number="S1"),
    ]
    assert link.restore()
    assert asked == ["/dev/ttyACM97", "/dev/ttyACM98"]


class Lines:
    """A port that writes down what becomes of its control lines."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, bool]] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("dtr", "rts"):
            self.changes.append((name, value))
        super().__setattr__(name, value)


@pytest.mark.parametrize(
    ("dtr", "changes"), [(True, []), (False, [("rts", False), ("dtr", False)])]
)
def test_no_moment_of_opening_holds_an_esp32_in_reset(
    monkeypatch: pytest.MonkeyPatch, dtr: bool, changes: list[tuple[str, bool]]
) -> None:
    """Its circuit resets while RTS is up and DTR is down; opening a port raises both."""
    lines = Lines()
    monkeypatch.setattr(serial, "serial_for_url", failing(then=lines))
    open_port("/dev/ttyUSB0", 115200, dtr=dtr)
    assert lines.changes == changes


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_a_lost_link_stays_lost_until_it_is_restored(kind: str, tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "port") if kind == "pty" else TcpPort()
    port.plug()
    link = SerialLink(port.url, return_s=0.2)
    try:
        assert link.restore()  # nothing was lost
        port.read()  # which makes the TCP port accept
        port.unplug()
        for _ in range(2):
            with pytest.raises(LinkLostError, match="is lost"):
                link.read(1.0)
        with pytest.raises(LinkLostError, match="is lost"):
            link.write(b"x")
        with pytest.raises(DeviceError, match=r"is lost.*has not come back"):
            link.restore()
        port.plug()
        assert link.restore()
        link.write(b"again")
        got = b""
        while got != b"again":
            got += port.read()
    finally:
        link.close()
        port.unplug()


def test_the_advice_names_the_port_and_its_speed(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "port")
    port.plug()
    link = SerialLink(port.url, 57600)
    assert port.url in link.advice
    assert "57600" in link.advice
    link.close()
    port.unplug()
