"""How firmware is started and reached: one ``Runner`` for each kind of place it can run in."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from tinygen.board import Board
from tinygen.board.schema import did_you_mean
from tinygen.errors import ToolError
from tinygen.run.device import Device, Expected
from tinygen.run.link import DEFAULT_RUN, Link, RunOptions
from tinygen.run.native import NativeRunner
from tinygen.run.qemu import QemuRunner
from tinygen.run.renode import RenodeRunner
from tinygen.run.serial import SerialRunner
from tinygen.run.symbols import address_words


class Runner(Protocol):
    """A place where firmware runs."""

    name: ClassVar[str]

    def available(self, board: Board) -> str | None:
        """None if the runner can run ``board``'s firmware here, else why not."""

    def open(
        self, board: Board, image: Path, options: RunOptions = DEFAULT_RUN
    ) -> AbstractContextManager[Link]:
        """Start ``image`` and give a link to it; leaving the context ends what was started.

        Raises ToolError, or DeviceError if the firmware cannot be started or reached.
        """


RUNNERS: dict[str, Runner] = {
    runner.name: runner for runner in (NativeRunner(), QemuRunner(), RenodeRunner(), SerialRunner())
}


def runner_for(board: Board, options: RunOptions = DEFAULT_RUN) -> Runner:
    """The runner that ``options`` name, or the board's. Raises ToolError if it cannot work here."""
    name = options.runner_of(board)
    runner = RUNNERS.get(name)
    if runner is None:
        raise ToolError(f"there is no runner '{name}'", did_you_mean(name, RUNNERS))
    if reason := runner.available(board):
        raise ToolError(reason, "tinygen doctor shows the line that installs it")
    return runner


@contextmanager
def open_device(
    board: Board,
    image: Path,
    expected: Expected | None = None,
    options: RunOptions = DEFAULT_RUN,
    progress: Callable[[str], None] = lambda text: None,
) -> Iterator[Device]:
    """Start or reach the firmware ``image`` on ``board`` and connect to it.

    At the end an emulator is asked to quit, so that it ends by itself and its plugins write what
    they counted; a board waits for the next session. Raises ToolError, DeviceError.
    """
    runner = runner_for(board, options)
    with runner.open(board, image, options) as link:
        device = Device(
            link, options.patience, lambda address: address_words(image, address), progress
        )
        device.connect(expected)
        yield device
        if device.identity.emulated:
            device.quit()
