"""Firmware as a process of this computer, reached over its pipes."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import IO, ClassVar

from tinygen.board import Board
from tinygen.errors import DeviceError
from tinygen.run.process import end_process

_WRITE_S = 30.0
_END_S = 2.0
_CHUNK = 1 << 16


class NativeRunner:
    """Runs the image as a process."""

    name: ClassVar[str] = "native"

    def available(self, board: Board) -> str | None:
        """Always: it is this computer."""
        return None

    @contextmanager
    def open(
        self, board: Board, image: Path, arguments: Sequence[str] = ()
    ) -> Iterator["PipeLink"]:
        """Start ``image``; ``arguments`` are the program's."""
        del board
        try:
            process = subprocess.Popen(
                [str(image.absolute()), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:
            raise DeviceError(f"cannot run {image}: {error.strerror}") from None
        try:
            yield PipeLink(process)
            # Its input's end asks the program to end.
            _close(process.stdin)
            end_process(process, _END_S)
        finally:
            process.kill()
            process.wait()
            _close(process.stdin)
            _close(process.stdout)


class PipeLink:
    """A process's standard input and output as a link."""

    shared = None

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._in, False)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""
        ready, _, _ = select.select([self._out], [], [], timeout_s)
        if not ready:
            return b""
        data = os.read(self._out, _CHUNK)
        if not data:
            raise self._ended()
        return data

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        view = memoryview(data)
        deadline = monotonic() + _WRITE_S
        while view:
            _, ready, _ = select.select([], [self._in], [], max(0.0, deadline - monotonic()))
            if not ready:
                raise DeviceError(f"the program took no input for {_WRITE_S:.0f} s: it hangs")
            try:
                view = view[os.write(self._in, view) :]
            except BrokenPipeError:
                raise self._ended() from None

    def _ended(self) -> DeviceError:
        try:
            status = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return DeviceError("the program closed its output")
        if status < 0:
            return DeviceError(f"the program crashed: {signal.Signals(-status).name}")
        return DeviceError(f"the program ended with status {status} in the middle of the session")


def _close(stream: IO[bytes] | None) -> None:
    # What was not read any more does not matter.
    with suppress(BrokenPipeError):
        if stream is not None:
            stream.close()
