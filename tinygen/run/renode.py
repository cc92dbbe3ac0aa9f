"""Firmware in Renode: the machine's UART on one TCP socket, Renode's monitor on another.

The image is the one that a board is flashed with. Renode opens its sockets itself, on every network
interface and without a password; it offers no other way. They are closed when the session ends.

The monitor is asked step by step, so that whatever Renode refuses is told in its own words, and the
machine starts only when the connection to its UART stands: nothing that it sends is lost.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from tinygen.board import Board
from tinygen.commands import kill_group
from tinygen.errors import DeviceError, ToolError
from tinygen.firmware.renode import SCRIPT, renode_files
from tinygen.isa import Isa
from tinygen.run.link import DEFAULT_RUN, RunOptions
from tinygen.run.process import tied
from tinygen.run.renode_monitor import Monitor
from tinygen.run.serial import SerialLink

RENODE_VARIABLE = "RENODE"
HOW_TO_GET = (
    "unpack its portable release (https://renode.io), and put it on PATH or say where it is "
    f"in {RENODE_VARIABLE}"
)

# Its runtime unpacks and compiles itself at the first start.
_START_S = 90.0
_END_S = 5.0
_LAST_WORDS = 4
_PORTS_TRIED = 3
_TERMINAL = "tinygen"

# The first version with the integer instructions of Helium.
_HELIUM_VERSION = (1, 17)
_VERSION = re.compile(r"version ((\d+)\.(\d+)\S*)")
_ABORT = re.compile(r"CPU abort.*")
# Progress, and the innards of a crash.
_NO_WORDS = re.compile(r"\[(?:INFO|DEBUG|NOISY)\]|^\s+at |^\s*$")


class RenodeRunner:
    """Runs a board's image in Renode.

    ``start_s`` is how long Renode may take for its start, and for each step of setting up the
    machine, ``end_s`` for its end, when told to quit.
    """

    name: ClassVar[str] = "renode"

    def __init__(self, start_s: float = _START_S, end_s: float = _END_S) -> None:
        self._start_s, self._end_s = start_s, end_s

    def available(self, board: Board) -> str | None:
        """Whether the board file tells of Renode, and Renode is installed."""
        if board.renode is None:
            return f"Renode cannot run {board.name}: its board file has no [renode]"
        try:
            find_renode()
        except ToolError as error:
            return f"{error.message}; {error.hint}"
        return None

    @contextmanager
    def open(
        self, board: Board, image: Path, options: RunOptions = DEFAULT_RUN
    ) -> Iterator["RenodeLink"]:
        """Start ``image``; the arguments are further commands for the monitor, before the start.

        Raises ToolError where Renode is missing, or too old for the board's instructions;
        DeviceError where it does not start, or refuses the machine.
        """
        renode = find_renode()
        with ExitStack() as stack:
            temporary = tempfile.TemporaryDirectory(prefix="tinygen-", ignore_cleanup_errors=True)
            directory = Path(stack.enter_context(temporary))
            _write_machine(board, image, directory)
            process = stack.enter_context(_Process.started(renode, directory, self._end_s))
            monitor = Monitor(process.port, self._start_s, process.check)
            stack.callback(monitor.close)
            _check_version(board, monitor)
            port = _build_machine(board, directory, options.arguments, monitor)
            serial = SerialLink(f"socket://127.0.0.1:{port}", wait_s=self._start_s)
            stack.callback(serial.close)
            monitor.run("start")
            yield RenodeLink(process, serial)
            monitor.quit()
            process.end()


class RenodeLink:
    """The emulated UART; errors tell what Renode said."""

    shared = None
    advice = "the firmware does not start: was it built for this board?"

    def __init__(self, process: "_Process", serial: SerialLink) -> None:
        self._process, self._serial = process, serial

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""
        with self._explained():
            data = self._serial.read(timeout_s)
        if not data:
            self._process.check_core()
        return data

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        with self._explained():
            self._serial.write(data)

    def restore(self) -> bool:
        """Firmware that starts again in an emulator does so by a fault of its own."""
        return False

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tell what became of Renode, if it has ended; else the error as it is."""
        try:
            yield
        except DeviceError as error:
            self._process.check(_END_S)
            raise DeviceError(error.message) from None


class _Process:
    """A running Renode. What it starts ends with it: its launcher is often a shell script."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", port: int, log: Path, end_s: float
    ) -> None:
        self._process, self._log, self._end_s = process, log, end_s
        self.port = port

    @classmethod
    @contextmanager
    def started(cls, renode: Path, directory: Path, end_s: float) -> Iterator["_Process"]:
        """Renode with its monitor on a free port, and all its files in ``directory``."""
        port, log = free_port(), directory / "renode.log"
        try:
            with log.open("wb") as messages:
                process = subprocess.Popen(
                    tied(renode_command(renode, port, directory)),
                    cwd=directory,
                    # At its start Renode deletes what is called renode-* where temporary files go.
                    env=os.environ | {"TMPDIR": str(directory)},
                    stdin=subprocess.DEVNULL,
                    stdout=messages,
                    stderr=messages,
                    start_new_session=True,
                )
        except OSError as error:
            raise DeviceError(f"cannot run {renode}: {error.strerror}", HOW_TO_GET) from None
        try:
            yield cls(process, port, log, end_s)
        finally:
            kill_group(process)

    def check(self, patience_s: float = 0.0) -> None:
        """Raise DeviceError with Renode's last words if it has ended, or does in ``patience_s``."""
        try:
            status = self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return
        what = f"signal {-status}" if status < 0 else f"status {status}"
        said = [line for line in self._lines() if not _NO_WORDS.search(line)]
        raise DeviceError("\n  ".join([f"Renode ended with {what}", *said[-_LAST_WORDS:]]))

    def check_core(self) -> None:
        """Raise DeviceError if Renode has stopped the core, as it does where there is no memory."""
        for line in self._lines():
            if found := _ABORT.search(line):
                raise DeviceError(f"the firmware crashed: Renode says: {found[0]}")

    def end(self) -> None:
        """Wait for Renode to end by itself; if it does not, it is killed with the context."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._end_s)

    def _lines(self) -> list[str]:
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()


def find_renode() -> Path:
    """The Renode to run: the one that RENODE names, or the one on PATH. Raises ToolError."""
    named = os.environ.get(RENODE_VARIABLE)
    found = shutil.which(named or "renode")
    if found is not None:
        return Path(found).absolute()
    if named:
        raise ToolError(f"{RENODE_VARIABLE} names '{named}', which is no program", HOW_TO_GET)
    raise ToolError("renode is not installed", HOW_TO_GET)


def renode_command(renode: Path, port: int, directory: Path) -> list[str]:
    """Renode's command line; its settings are those it comes with, not the user's."""
    config = directory / "renode.config"
    return [str(renode), "--disable-gui", "--plain", "--config", str(config), "--port", str(port)]


def free_port() -> int:
    """A TCP port that nobody uses now, on any interface. Somebody may take it before Renode does:
    then Renode says so, or the monitor's answer is not Renode's."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_machine(board: Board, image: Path, directory: Path) -> None:
    """The project's own script, and the image under a name that needs no quotes."""
    link = "firmware.elf"
    (directory / link).symlink_to(image.absolute())
    for name, text in renode_files(board, link, suite=False).items():
        file = directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _check_version(board: Board, monitor: Monitor) -> None:
    """Raises DeviceError if it is not Renode that answers, ToolError if it lacks instructions."""
    answer = monitor.ask("version")
    found = _VERSION.search(answer)
    if found is None:
        raise DeviceError(f"what answers on the monitor's port is not Renode: it says '{answer}'")
    version = (int(found[2]), int(found[3]))
    if Isa.MVE in board.core.isa and version < _HELIUM_VERSION:
        first = ".".join(map(str, _HELIUM_VERSION))
        raise ToolError(
            f"Renode {found[1]} lacks Helium instructions that code for {board.core.title} uses",
            f"use Renode {first} or newer, or QEMU",
        )


def _build_machine(
    board: Board, directory: Path, commands: tuple[str, ...], monitor: Monitor
) -> int:
    """Load the image into the board's machine; the port on which its UART listens."""
    assert board.renode is not None
    # A register that no model has, polled, would fill the disk with warnings.
    monitor.run("logLevel 3")
    monitor.run(f'include "{directory / SCRIPT}"')
    port = _open_terminal(monitor)
    monitor.run(f"connector Connect sysbus.{board.renode.uart} {_TERMINAL}")
    if commands:
        script = directory / "commands.resc"
        script.write_text("\n".join(commands) + "\n", encoding="utf-8")
        monitor.run(f'include "{script}"')
    return port


def _open_terminal(monitor: Monitor) -> int:
    """Make the socket for the UART, raw instead of telnet's; another port if one is taken."""
    for left in reversed(range(_PORTS_TRIED)):
        number = free_port()
        try:
            monitor.run(f'emulation CreateServerSocketTerminal {number} "{_TERMINAL}" false')
        except DeviceError as error:
            if left == 0 or "in use" not in error.message:
                raise
        else:
            return number
    raise AssertionError
