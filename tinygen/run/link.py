"""A byte stream to a device, and how to get hold of one: what every runner gives and takes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tinygen.board import Board
from tinygen.errors import DeviceError


class InterruptionError(DeviceError):
    """The session is over, by an accident that another session may get over."""


class LinkLostError(InterruptionError):
    """Nothing can be sent or received any more: an unplugged cable, a device that went away."""


class RestartError(InterruptionError):
    """The firmware does not know the session (any more)."""


class Link(Protocol):
    """A byte stream to a device.

    Both methods raise DeviceError once the other end is gone: LinkLostError if it may come back.
    """

    @property
    def shared(self) -> Path | None:
        """A directory whose files an emulated device can read by itself; None if it cannot."""

    @property
    def advice(self) -> str:
        """What to look at if the device never answers."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``, within a bounded time."""

    def restore(self) -> bool:
        """After an interruption, make the link whole again; False where one is no accident.

        Raises DeviceError if the device does not come back.
        """


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to ask again.

    ``recoveries`` is how many interruptions in a row are got over.
    """

    boot_s: float = 15.0
    reply_s: float = 3.0
    invoke_s: float = 120.0
    retries: int = 4
    recoveries: int = 2


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a runner is told apart from the board and the image.

    ``runner`` is the runner's name, None for the board's own. ``port`` is a serial port or a URL of
    pyserial's; ``port_wait_s`` is how long it may take to appear, as after flashing. ``arguments``
    are the runner's own, such as QEMU's ``-plugin``.
    """

    runner: str | None = None
    port: str | None = None
    port_wait_s: float = 0.0
    patience: Patience = field(default_factory=Patience)
    arguments: tuple[str, ...] = ()

    def runner_of(self, board: Board) -> str:
        """The name of the runner that ``board`` is run by: a port asks for the serial one."""
        return self.runner or ("serial" if self.port else board.runner)


DEFAULT_RUN = RunOptions()
