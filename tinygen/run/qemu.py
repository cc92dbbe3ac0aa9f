"""Firmware in QEMU, reached through the machine's serial port on a TCP socket.

The connection is made here and one end of it handed over, so no other program can take a port in
between. Xtensa's sim machine has no serial port: there the firmware reads and writes QEMU's own
standard input and output (``uart_simcall.c``), which are then that end of the connection.
"""

import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, ClassVar

from tinygen.board import Board
from tinygen.errors import DeviceError
from tinygen.run.link import DEFAULT_RUN, RunOptions
from tinygen.run.process import end_process, tied
from tinygen.run.serial import SerialLink

_END_S = 5.0
_STDERR_LINES = 4
# What QEMU says on every start: the machine's network card has no network.
_IDLE_TALK = re.compile(r": info: |warning: nic .* has no peer")
_STDIO = "simcall"


class QemuRunner:
    """Runs a board's image in the QEMU program that has its core."""

    name: ClassVar[str] = "qemu"

    def available(self, board: Board) -> str | None:
        """Whether QEMU is installed, and emulates the board at all."""
        if not board.machine:
            return f"QEMU has no machine for {board.name}"
        program = board.core.qemu
        return None if shutil.which(program) else f"{program} is not installed"

    @contextmanager
    def open(
        self, board: Board, image: Path, options: RunOptions = DEFAULT_RUN
    ) -> Iterator["QemuLink"]:
        """Start ``image``; the arguments go to QEMU, such as ``-plugin``."""
        with (
            tempfile.TemporaryDirectory(prefix="tinygen-") as shared,
            tempfile.TemporaryFile() as messages,
            _connection() as (ours, theirs),
        ):
            process = _start(board, image, theirs, options.arguments, messages)
            try:
                # QEMU's end is QEMU's alone: when it dies, the connection ends.
                theirs.close()
                yield QemuLink(ours, process, messages, Path(shared))
                # The firmware has been told to quit, or sees the end of its input.
                ours.close()
                end_process(process, _END_S)
            finally:
                process.kill()
                process.wait()


@contextmanager
def _connection() -> Iterator[tuple[SerialLink, socket.socket]]:
    """Both ends of a connection on this computer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = SerialLink(f"socket://127.0.0.1:{server.getsockname()[1]}")
        theirs, _ = server.accept()
    try:
        theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield ours, theirs
    finally:
        theirs.close()
        ours.close()


def _start(
    board: Board,
    image: Path,
    serial: socket.socket,
    arguments: Sequence[str],
    messages: IO[bytes],
) -> "subprocess.Popen[bytes]":
    """Start QEMU with its end of the connection. Raises DeviceError."""
    assert board.uart is not None
    stdio = board.uart.driver == _STDIO
    command = qemu_command(board, image, None if stdio else serial.fileno(), arguments)
    try:
        return subprocess.Popen(
            tied(command),
            pass_fds=() if stdio else (serial.fileno(),),
            stdin=serial.fileno() if stdio else subprocess.DEVNULL,
            stdout=serial.fileno() if stdio else messages,
            stderr=messages,
        )
    except OSError as error:
        raise DeviceError(f"cannot run {command[0]}: {error.strerror}") from None


def qemu_command(
    board: Board, image: Path, connection: int | None, arguments: Sequence[str]
) -> list[str]:
    """QEMU's command line; ``connection`` is the descriptor of a socket, None for QEMU's stdio."""
    assert board.qemu is not None
    serial = ["-serial", "none"]
    if connection is not None:
        chardev = f"socket,id=host,fd={connection},nodelay=on"
        serial = ["-chardev", chardev, "-serial", "chardev:host"]
    return [
        board.core.qemu, "-machine", board.qemu.machine, *board.qemu.options,
        "-nodefaults", "-display", "none", "-monitor", "none", *serial,
        "-semihosting-config", "enable=on,target=native",
        "-kernel", str(image),
        *arguments,
    ]  # fmt: skip


class QemuLink:
    """The emulated serial port; errors tell what QEMU said."""

    advice = "the firmware does not start: was it built for this board?"

    def __init__(
        self,
        serial: SerialLink,
        process: "subprocess.Popen[bytes]",
        messages: IO[bytes],
        shared: Path,
    ) -> None:
        self._serial, self._process, self._messages = serial, process, messages
        self.shared = shared

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""
        try:
            return self._serial.read(timeout_s)
        except DeviceError as error:
            raise self._explained(error) from None

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        try:
            self._serial.write(data)
        except DeviceError as error:
            raise self._explained(error) from None

    def restore(self) -> bool:
        """Firmware that starts again in an emulator does so by a fault of its own."""
        return False

    def _explained(self, error: DeviceError) -> DeviceError:
        """What became of QEMU, if it has ended; else the error as it is."""
        try:
            status = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return error
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").split("\n")
        said = [line for line in lines if line.strip() and not _IDLE_TALK.search(line)]
        what = f"signal {-status}" if status < 0 else f"status {status}"
        return DeviceError(
            "\n  ".join(
                [f"QEMU ended with {what} in the middle of the session", *said[:_STDERR_LINES]]
            )
        )
