"""Renode's monitor on its TCP port: a command in, what it says out.

The port is a terminal: it sends telnet's and a screen's codes, repeats what is typed, puts a prompt
in front, and loses what comes before it is ready. So every command is followed by one that prints
a mark, and an answer is what comes until the mark.
"""

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from time import monotonic, sleep

from tinygen.errors import DeviceError

_POLL_S = 0.1
_ASK_AGAIN_S = 1.0
_CHUNK = 4096
# How long Renode may take to end after it has closed its connections.
_END_S = 5.0

# Telnet's three-byte options; colours and cursor movements.
_CODES = re.compile(rb"\xff[\xfb-\xfe].|\x1b\[[0-9;?]*[A-Za-z]", re.DOTALL)
_PROMPT = re.compile(r"^\([^()]*\) ")
_FAILED = re.compile(r"\berror\b|^No such |did not match|^Could not |^Bad ", re.IGNORECASE)


class Monitor:
    """A connection to the monitor.

    Every method raises DeviceError if Renode is silent for ``patience_s``. While waiting, ``check``
    is called with the seconds it may take, and raises what it knows better.
    """

    def __init__(self, port: int, patience_s: float, check: Callable[[float], None]) -> None:
        """Connect, and wait until the monitor answers."""
        self._patience_s, self._check = patience_s, check
        self._marks = count(1)
        self._received = b""
        deadline = monotonic() + patience_s
        self._socket = _connect(port, deadline, check)
        try:
            while self._exchange("", min(deadline, monotonic() + _ASK_AGAIN_S)) is None:
                if monotonic() >= deadline:
                    raise DeviceError(
                        f"Renode's monitor on port {port} did not answer within {patience_s:.0f} s",
                        "is something else listening there?",
                    )
        except BaseException:
            self.close()
            raise

    def ask(self, command: str) -> str:
        """What Renode says to ``command``."""
        answer = self._exchange(command, monotonic() + self._patience_s)
        if answer is None:
            raise DeviceError(f"Renode did not finish '{command}' within {self._patience_s:.0f} s")
        return answer

    def run(self, command: str) -> None:
        """Carry out ``command``. Raises DeviceError with Renode's words if it fails."""
        answer = self.ask(command)
        if any(_FAILED.search(line) for line in answer.splitlines()):
            raise DeviceError(f"Renode refused '{command}'\n  " + answer.replace("\n", "\n  "))

    def quit(self) -> None:
        """Ask Renode to end, if it still listens."""
        with suppress(OSError):
            self._socket.sendall(b"quit\n")

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _exchange(self, command: str, deadline: float) -> str | None:
        """The answer to ``command``, None if it is not complete before ``deadline``."""
        mark = f"tinygen {next(self._marks)}"
        try:
            self._socket.sendall(f'{command}\necho "{mark}"\n'.encode())
            while True:
                lines = _lines(self._received)
                if mark in lines:
                    self._received = b""
                    said = lines[: lines.index(mark)]
                    return "\n".join(s for s in said if s and s != command)
                if monotonic() >= deadline:
                    return None
                self._check(0.0)
                with suppress(TimeoutError):
                    data = self._socket.recv(_CHUNK)
                    if not data:
                        raise ConnectionError("it closed the connection")
                    self._received += data
        except OSError as error:
            self._check(_END_S)
            raise DeviceError(f"the connection to Renode's monitor is lost: {error}") from None


def _connect(port: int, deadline: float, check: Callable[[float], None]) -> socket.socket:
    start = monotonic()
    while True:
        with suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", port), _ASK_AGAIN_S)
            connection.settimeout(_POLL_S)
            return connection
        check(0.0)
        if monotonic() >= deadline:
            raise DeviceError(
                f"Renode did not open its monitor within {deadline - start:.0f} s",
                "does it start by itself, with `renode --console --disable-gui`?",
            )
        sleep(_POLL_S)


def _lines(data: bytes) -> list[str]:
    """The lines that were printed; those that were typed, which follow a prompt, are left out."""
    text = _CODES.sub(b"", data).decode(errors="replace").replace("\r", "\n")
    return [line for line in text.split("\n") if not _PROMPT.match(line)]
