"""How firmware is started and reached: one ``Runner`` for each kind of place it can run in."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from tinygen.board import Board
from tinygen.errors import ToolError
from tinygen.run.device import Device, Link, Patience
from tinygen.run.native import NativeRunner
from tinygen.run.qemu import QemuRunner
from tinygen.run.symbols import address_words
from tinygen.schema import did_you_mean


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


RUNNERS: dict[str, Runner] = {runner.name: runner for runner in (NativeRunner(), QemuRunner())}


def runner_for(board: Board) -> Runner:
    """The runner of ``board``. Raises ToolError if it cannot work here."""
    runner = RUNNERS.get(board.runner)
    if runner is None:
        raise ToolError(f"{board.name} wants runner '{board.runner}'", did_you_mean("", RUNNERS))
    if reason := runner.available(board):
        raise ToolError(reason, "tinygen doctor shows the line that installs it")
    return runner


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
