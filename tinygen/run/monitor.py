"""A device's log: text as it comes, and what else is on the line in words."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from math import inf
from pathlib import Path
from time import monotonic, sleep

from tinygen.errors import DeviceError
from tinygen.firmware.manifest import read_manifest
from tinygen.run.frames import REPLY, Frame, ProtocolError, decode_frame, text_lines
from tinygen.run.protocol import Message, Refusal, decode_crash, decode_refused
from tinygen.run.serial import SerialLink
from tinygen.run.symbols import address_words

# What has no end after this time is shown as it is: a prompt, or noise of a wrong baud rate.
_IDLE_S = 0.5
# Where a port of the network is taken and dropped again at once.
_PAUSE_S = 0.1
_LONGEST = 1 << 16

Where = Callable[[int], str]


def hexadecimal(address: int) -> str:
    """An address as it is, where no image tells what is there."""
    return f"0x{address:08x}"


def where_in(path: Path | None) -> Where:
    """Names the functions of an ELF file, or of the project in a directory, built by any means.

    Raises ProjectError for a directory that is no project.
    """
    if path is None:
        return hexadecimal
    if path.is_dir():
        images = [path / read_manifest(path).image, *path.glob(".pio/build/*/firmware.elf")]
        built = [image for image in images if image.is_file()]
        if not built:
            return hexadecimal
        path = max(built, key=lambda image: image.stat().st_mtime)
    image = path
    return lambda address: address_words(image, address)


def monitor(
    port: str,
    show: Callable[[str], None],
    *,
    baud: int = 115200,
    dtr: bool = True,
    seconds: float | None = None,
    timestamps: bool = False,
    where: Where = hexadecimal,
) -> None:
    """Give ``show`` every line that comes from ``port``, until Ctrl-C or for ``seconds``.

    ``port`` is a serial port or any URL of pyserial's. A device that goes away is waited for.
    Raises PortError.
    """
    deadline = inf if seconds is None else monotonic() + seconds
    reader = LogReader(where)

    def tell(lines: list[str]) -> None:
        stamp = f"{datetime.now():%H:%M:%S.%f}"[:-3] + "  " if timestamps else ""
        for line in lines:
            show(stamp + line)

    link = SerialLink(port, baud, dtr=dtr, return_s=_IDLE_S)
    waiting = told = False
    try:
        with suppress(KeyboardInterrupt):
            while (left := deadline - monotonic()) > 0:
                try:
                    if waiting:
                        link.restore()
                        waiting = False
                    data = link.read(min(left, _IDLE_S))
                    told = told and not data
                    tell(reader.feed(data) if data else reader.finish())
                except DeviceError as error:
                    if not told:
                        tell([*reader.finish(), f"[{error.message}; waiting for it]"])
                    if not waiting:
                        sleep(_PAUSE_S)
                    waiting = told = True
        tell(reader.finish())
    finally:
        link.close()


class LogReader:
    """Cuts what a device sends into lines for a person."""

    def __init__(self, where: Where = hexadecimal) -> None:
        self._where = where
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes: text at its line's end, all else at the next zero."""
        *pieces, self._rest = (self._rest + data).split(b"\0")
        lines = [line for piece in pieces for line in self._piece(piece)]
        text, end, rest = self._rest.rpartition(b"\n")
        if end and (whole := text_lines(text)) is not None:
            lines += whole
            self._rest = rest
        return lines + (self.finish() if len(self._rest) > _LONGEST else [])

    def finish(self) -> list[str]:
        """What is there without an end, after some silence."""
        piece, self._rest = self._rest, b""
        return self._piece(piece)

    def _piece(self, piece: bytes) -> list[str]:
        if (lines := text_lines(piece)) is not None:
            return lines
        try:
            return [describe(decode_frame(piece), self._where)]
        except ProtocolError:
            return [f"[{len(piece)} bytes that are neither text nor a frame]"]


def describe(frame: Frame, where: Where = hexadecimal) -> str:
    """A frame in one line."""
    kind = frame.kind & ~REPLY
    name = Message(kind).name if kind in set(Message) else f"type 0x{kind:02x}"
    what = f"reply to {name}" if frame.kind & REPLY else name
    number = f"number {frame.sequence} of session {frame.session:08x}"
    with suppress(ProtocolError):
        if frame.kind == Message.CRASH:
            return f"[{decode_crash(frame.payload).words(where)}]"
        if frame.kind == Message.REFUSED:
            reason, expected = decode_refused(frame.payload)
            known = Refusal(reason).name if reason in set(Refusal) else f"reason {reason}"
            return f"[{what} {known}, {number}; {expected} is expected]"
    return f"[{what}, {number}, {len(frame.payload)} bytes]"
