"""A device on a pseudo-terminal: uploaders open its port and take it for a chip."""

import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType


class Wire:
    """The device's end of the line."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.open = True

    def read(self, count: int) -> bytes:
        """Wait for ``count`` bytes; fewer, or none, once the test has ended."""
        data = b""
        while len(data) < count and self.open:
            if select.select([self._fd], [], [], 0.05)[0]:
                try:
                    data += os.read(self._fd, count - len(data))
                except OSError:
                    self.open = False
        return data

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        while data:
            data = data[os.write(self._fd, data) :]


class _Failures:
    """Keeps what a device's thread raises, for the test to raise."""

    def __init__(self) -> None:
        self.first: BaseException | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:  # fmt: skip
        self.first = error
        return True


@contextmanager
def pty_device(serve: Callable[[Wire], None]) -> Iterator[str]:
    """Run ``serve`` as a device for the length of the context; gives the port's name."""
    ours, theirs = pty.openpty()
    # The port stays open here too: a pseudo-terminal that nobody has open reads as an error.
    tty.setraw(theirs)
    wire, failures = Wire(ours), _Failures()

    def run() -> None:
        with failures:
            serve(wire)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        wire.open = False
        thread.join()
        os.close(ours)
        os.close(theirs)
    if failures.first is not None:
        raise failures.first
