"""A board on a serial port: a USB device, or any URL that pyserial opens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import ClassVar

import serial

from tinygen.board import Board
from tinygen.errors import DeviceError, ToolError
from tinygen.run.link import DEFAULT_RUN, LinkLostError, RunOptions
from tinygen.run.ports import WRITE_S, is_remote, open_port, usb_serial_number

_CHUNK = 1 << 16


class SerialRunner:
    """Talks to the firmware that a board on a serial port runs already: flashing is done before."""

    name: ClassVar[str] = "serial"

    def available(self, board: Board) -> str | None:
        """Always: whether the board is there, only opening its port tells."""
        return None

    @contextmanager
    def open(
        self, board: Board, image: Path, options: RunOptions = DEFAULT_RUN
    ) -> Iterator["SerialLink"]:
        """Open the port that ``options`` name; the image is on the board already."""
        del image
        if options.port is None:
            raise ToolError(
                f"on which port is {board.name}?",
                "--port PORT says it; `tinygen boards --detect` lists what is plugged in",
            )
        link = SerialLink(
            options.port,
            board.serial.baud,
            dtr=board.serial.dtr,
            wait_s=options.port_wait_s,
            return_s=options.patience.boot_s,
        )
        try:
            yield link
        finally:
            link.close()


class SerialLink:
    """An open serial port as a link.

    ``wait_s`` is how long the port may take to appear, ``return_s`` how long to come back.
    """

    shared = None

    def __init__(
        self,
        url: str,
        baud: int = 115200,
        *,
        dtr: bool = True,
        wait_s: float = 0.0,
        return_s: float = 0.0,
    ) -> None:
        """Open ``url``. Raises PortError."""
        self._url, self._baud, self._dtr, self._return_s = url, baud, dtr, return_s
        self._lost = ""
        self._port = open_port(url, baud, dtr=dtr, wait_s=wait_s)
        self._usb = usb_serial_number(url)

    @property
    def advice(self) -> str:
        """What to look at if the device never answers."""
        return (
            f"is {self._url} the right port, and {self._baud} its speed? does the device run the "
            "firmware of this tinygen, and not another, or its boot loader?"
        )

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""
        first = self._take(lambda: self._first(timeout_s))
        if not first:
            return b""
        with suppress(DeviceError):  # the next call tells
            return first + self._take(self._rest)
        return first

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        self._check()
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise DeviceError(f"the device took no input for {WRITE_S:.0f} s: it hangs") from None
        except (serial.SerialException, OSError) as error:
            raise self._loss(error) from None

    def restore(self) -> bool:
        """Open the port again if it was lost; wait for it to come back."""
        if self._lost:
            self.close()
            try:
                self._port = open_port(
                    self._url,
                    self._baud,
                    dtr=self._dtr,
                    wait_s=self._return_s,
                    usb=self._usb,
                )
            except DeviceError as error:
                raise DeviceError(
                    f"{self._lost}, and has not come back: {error.message}",
                    "was the cable pulled, or is its plug loose?",
                ) from None
            self._lost = ""
        return True

    def close(self) -> None:
        """Close the port."""
        # pyserial leaves a socket open whose other end has gone, and sleeps 0.3 s after closing.
        connection = getattr(self._port, "_socket", None)
        if connection is not None and getattr(self._port, "_thread", None) is None:
            connection.close()
            self._port.is_open = False
            return
        with suppress(OSError, serial.SerialException):
            self._port.close()

    def _first(self, timeout_s: float) -> bytes:
        """The first byte, or none if none comes in time."""
        if not is_remote(self._url):
            self._port.timeout = timeout_s
            return bytes(self._port.read(1))
        deadline = monotonic() + timeout_s
        while not (first := bytes(self._port.read(1))) and monotonic() < deadline:
            pass
        return first

    def _rest(self) -> bytes:
        """What has come with it."""
        if is_remote(self._url):
            return bytes(self._port.read(self._port.in_waiting))
        self._port.timeout = 0
        return bytes(self._port.read(_CHUNK))

    def _take(self, read: Callable[[], bytes]) -> bytes:
        self._check()
        try:
            return read()
        except (serial.SerialException, OSError) as error:
            raise self._loss(error) from None

    def _check(self) -> None:
        if self._lost:
            raise LinkLostError(self._lost)

    def _loss(self, error: Exception) -> LinkLostError:
        """Remember the loss, so that nothing is sent or taken until the link is restored."""
        self._lost = f"the connection to {self._url} is lost ({error})"
        return LinkLostError(self._lost, "was the cable pulled, or is its plug loose?")
