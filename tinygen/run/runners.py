"""How firmware is started and reached: one ``Runner`` for each kind of place it can run in."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from tinygen.board import Board
from tinygen.errors import DeviceError, ToolError
from tinygen.run.device import Device, Link, Patience
from tinygen.run.symbols import address_words


class Runner(Protocol):
    """A place where firmware runs."""

    name: ClassVar[str]

    def available(self, board: Board) -> str | None:
        """None if the runner can run ``board``'s firmware here, else why not."""

    def open(
        self, board: Board, image: Path, arguments: Sequence[str] = ()
    ) -> AbstractContextManager[Link]:
        """Start ``image`` and give a link to it; leaving the context ends what was started.

        ``arguments`` are the runner's own, such as QEMU's ``-plugin``. Raises DeviceError if the
        firmware cannot be started.
        """


def runner_for(board: Board) -> Runner:
    """The runner of ``board``. Raises ToolError if it cannot work here."""
    from tinygen.run.native import NativeRunner
    from tinygen.run.qemu import QemuRunner

    runners: tuple[Runner, ...] = (NativeRunner(), QemuRunner())
    for runner in runners:
        if runner.name == board.runner:
            if reason := runner.available(board):
                raise ToolError(reason, "tinygen doctor shows the line that installs it")
            return runner
    known = ", ".join(r.name for r in runners)
    raise ToolError(f"{board.name} wants runner '{board.runner}'; this tinygen has {known}")


@contextmanager
def open_device(
    board: Board,
    image: Path,
    model_sha256: str | None = None,
    arguments: Sequence[str] = (),
    patience: Patience | None = None,
) -> Iterator[Device]:
    """Start ``image`` on ``board`` and connect to it.

    At the end the firmware is asked to quit, so that an emulator ends by itself and its plugins
    write what they counted. Raises ToolError, DeviceError.
    """
    runner = runner_for(board)
    with runner.open(board, image, arguments) as link:
        device = Device(link, patience, lambda address: address_words(image, address))
        device.connect(model_sha256)
        yield device
        device.quit()


def end_process(process: "subprocess.Popen[bytes]", patience_s: float) -> None:
    """Wait for a process to end by itself, then ask it to, then kill it."""
    for stop in (lambda: None, process.terminate, process.kill):
        stop()
        try:
            process.wait(patience_s)
            return
        except subprocess.TimeoutExpired:
            continue
    raise DeviceError(f"process {process.pid} cannot be killed")
