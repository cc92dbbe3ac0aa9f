"""Running other programs' commands: output line by line, bounded in time, nothing left behind."""

import os
import re
import select
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tinygen.errors import ToolError

_CHUNK = 1 << 14
_END_S = 2.0
# Progress bars go back to the start of their line instead of ending it.
_LINE_END = re.compile(rb"[\r\n]+")
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _silent(line: str) -> None:
    del line


@dataclass(frozen=True, slots=True)
class Finished:
    """A command's exit status and everything that it printed, standard error included.

    ``status`` is None where the time ran out.
    """

    status: int | None
    output: str


def run_command(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    on_line: Callable[[str], None] = _silent,
    log: Path | None = None,
) -> Finished:
    """Run ``command`` in ``directory`` and tell ``on_line`` each line as it comes.

    The command and all that it started have ended when this returns, or raises: they are one
    process group, which is killed with the time-out. ``log`` receives the whole output. Raises
    ToolError for a program that cannot be started.
    """
    text = []

    def collect(line: str) -> None:
        text.append(line)
        on_line(line)

    with _started(command, directory, environment) as process:
        ended = _follow(process, monotonic() + timeout_s, collect)
        status = process.wait() if ended else None
    output = "".join(f"{line}\n" for line in text)
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output, encoding="utf-8")
    return Finished(status, output)


@contextmanager
def _started(
    command: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"cannot run {command[0]}: {error.strerror}") from None
    try:
        yield process
    finally:
        kill_group(process)
        if process.stdout is not None:
            process.stdout.close()


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all that it has started: a compiler may outlive the SCons above it."""
    for stop in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, stop)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
    # A signal is on its way for a moment. Dead children that nobody collects stay in the group.
    deadline = monotonic() + _END_S
    with suppress(ProcessLookupError, PermissionError):
        while monotonic() < deadline:
            os.killpg(process.pid, 0)
            sleep(0.01)


def _follow(
    process: "subprocess.Popen[bytes]", deadline: float, on_line: Callable[[str], None]
) -> bool:
    """Read to the end of the output; False where the deadline came first."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    rest = b""
    ended = False
    while not ended and (left := deadline - monotonic()) > 0:
        # A program that the command left running may keep the pipe open for ever.
        if select.select([pipe], [], [], min(left, 0.2))[0]:
            chunk = os.read(pipe, _CHUNK)
            ended = not chunk
        else:
            chunk = b""
            ended = process.poll() is not None
        *lines, rest = _LINE_END.split(rest + chunk)
        for line in lines:
            on_line(_plain(line))
    if rest:
        on_line(_plain(rest))
    return ended


def _plain(line: bytes) -> str:
    return _STYLE.sub("", line.decode(errors="replace")).rstrip()
