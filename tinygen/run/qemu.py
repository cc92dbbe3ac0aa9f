"""Firmware in QEMU, reached through the machine's serial port on a TCP socket.

The socket is made here and handed over open, so no other program can take its port in between. QEMU
waits with the machine's start until the connection stands.
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
from tinygen.run.process import end_process
from tinygen.run.serial import SerialLink

QEMU = "qemu-system-arm"

_END_S = 5.0
_STDERR_LINES = 4
# What QEMU says on every start: it waits for us, and the machine's network card has no network.
_IDLE_TALK = re.compile(r": info: |warning: nic .* has no peer")


class QemuRunner:
    """Runs a board's image in ``qemu-system-arm``."""

    name: ClassVar[str] = "qemu"

    def available(self, board: Board) -> str | None:
        """Whether QEMU is installed, and emulates the board at all."""
        if not board.machine:
            return f"QEMU has no machine for {board.name}"
        return None if shutil.which(QEMU) else f"{QEMU} is not installed"

    @contextmanager
    def open(
        self, board: Board, image: Path, arguments: Sequence[str] = ()
    ) -> Iterator["QemuLink"]:
        """Start ``image``; ``arguments`` go to QEMU, such as ``-plugin``."""
        with (
            tempfile.TemporaryDirectory(prefix="tinygen-") as shared,
            tempfile.TemporaryFile() as messages,
            socket.create_server(("127.0.0.1", 0)) as server,
        ):
            port = server.getsockname()[1]
            try:
                process = subprocess.Popen(
                    qemu_command(board, image, server.fileno(), arguments),
                    pass_fds=(server.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=messages,
                    stderr=messages,
                )
            except OSError as error:
                raise DeviceError(f"cannot run {QEMU}: {error.strerror}") from None
            # If QEMU dies, nothing may be left that still accepts the connection.
            server.close()
            link: QemuLink | None = None
            try:
                link = QemuLink(port, process, messages, Path(shared))
                yield link
                end_process(process, _END_S)
            finally:
                process.kill()
                process.wait()
                if link is not None:
                    link.close()


def qemu_command(board: Board, image: Path, listener: int, arguments: Sequence[str]) -> list[str]:
    """QEMU's command line; ``listener`` is the descriptor of a listening socket."""
    chardev = f"socket,id=host,fd={listener},server=on,wait=on,nodelay=on"
    return [
        QEMU, "-machine", board.machine, "-nodefaults", "-display", "none", "-monitor", "none",
        "-chardev", chardev, "-serial", "chardev:host",
        "-semihosting-config", "enable=on,target=native",
        "-kernel", str(image),
        *arguments,
    ]  # fmt: skip


class QemuLink:
    """The emulated serial port; errors tell what QEMU said."""

    def __init__(
        self, port: int, process: "subprocess.Popen[bytes]", messages: IO[bytes], shared: Path
    ) -> None:
        self._process, self._messages = process, messages
        self.shared = shared
        try:
            self._serial = SerialLink(f"socket://127.0.0.1:{port}")
        except DeviceError as error:
            raise self._explained(error) from None

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

    def close(self) -> None:
        """Close the connection."""
        self._serial.close()

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
