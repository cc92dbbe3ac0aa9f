"""Opening a serial port by its name or URL; where that fails, the reason and the remedy."""

import errno
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import serial
from serial.tools import list_ports

from tinygen.causes import UDEV
from tinygen.errors import DeviceError

# Nothing on a healthy line takes this long to take a frame.
WRITE_S = 30.0
# How long one read from a remote port waits.
REMOTE_POLL_S = 0.02

_TRY_AGAIN_S = 0.1
_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_GONE = (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO)
_NO_PORT = (errno.EISDIR, errno.ENOTTY)
_FORMS = (
    "a port is a name such as /dev/ttyACM0 or COM3, or a URL such as socket://HOST:NUMBER or "
    "rfc2217://HOST:NUMBER"
)


class PortError(DeviceError):
    """A serial port that cannot be opened."""

    exit_code = 2


def is_remote(url: str) -> bool:
    """Whether ``url`` is a port of another machine, whose settings travel over the network.

    pyserial has no time limit for sending to one, and negotiates anew if that for reading changes.
    """
    return url.startswith("rfc2217://")


def open_port(
    url: str, baud: int, *, dtr: bool = True, wait_s: float = 0.0, usb: str = ""
) -> serial.SerialBase:
    """Open a port, for this program alone; it may take ``wait_s`` to appear, or to become free.

    ``dtr`` is whether DTR and RTS stay raised. A USB device comes back under another name if
    somebody still holds the old one; ``usb`` is its serial number, if it is known.
    Raises PortError.
    """
    if not url:
        raise PortError("the port's name is empty", _ports_hint())
    if url.startswith("loop://"):
        raise PortError(f"{url} only echoes: there is no device behind it", _FORMS)
    if url.startswith(("socket://", "rfc2217://")) and not re.search(r"://[^/]+:\d+", url):
        raise PortError(f"{url} has no port number", _FORMS)  # in pyserial's words, a TypeError
    deadline = monotonic() + wait_s
    while True:
        try:
            return _open(_renamed(url, usb), baud, dtr=dtr)
        except ValueError as error:
            raise PortError(f"{url} cannot be opened: {error}", _FORMS) from None
        except (serial.SerialException, OSError) as error:
            if monotonic() >= deadline:
                raise _explained(url, error) from None
        sleep(_TRY_AGAIN_S)


def _open(url: str, baud: int, *, dtr: bool) -> serial.SerialBase:
    with warnings.catch_warnings():
        # pyserial 3.5 starts its RFC 2217 thread in a way that newer Pythons warn of.
        warnings.simplefilter("ignore", DeprecationWarning)
        if is_remote(url):
            port = serial.serial_for_url(url, baudrate=baud, timeout=REMOTE_POLL_S)
        else:
            port = serial.serial_for_url(url, baudrate=baud, write_timeout=WRITE_S, exclusive=True)
    if not dtr:
        # Opening has raised both. In the other order, RTS alone would be up for a moment, which
        # holds an ESP32 in reset; DTR alone does nothing to it.
        with suppress(OSError, serial.SerialException):
            port.rts = False
            port.dtr = False
    return port


def _explained(url: str, error: OSError) -> PortError:
    """The usual reasons in one line each, with the remedy."""
    if "://" in url:
        words = re.sub(r"^.*?: (\[Errno [-\d]+\] )?", "", str(error))
        return PortError(f"cannot connect to {url}: {words}", "is the other end running?")
    code = error.errno or _windows_code(str(error))
    if code in _FORBIDDEN:
        return PortError(f"no permission to open {url}", _permission_hint(Path(url)))
    if code in _BUSY:
        holder = "".join(f" ({name})" for name in _holders(Path(url)))
        return PortError(
            f"{url} is in use by another program{holder}", "close it: a serial monitor, an IDE?"
        )
    if code in _NO_PORT or str(error).startswith("Could not configure port"):
        return PortError(f"{url} is no serial port", _ports_hint())
    if code in _GONE:
        return PortError(f"there is no serial port {url}", _ports_hint())
    return PortError(f"cannot open {url}: {error}", _FORMS)


def _windows_code(words: str) -> int:
    """On Windows pyserial tells the reason only in words; a port in use is a denied one there."""
    if "FileNotFoundError" in words:
        return errno.ENOENT
    return errno.EBUSY if "PermissionError" in words else 0


def _permission_hint(port: Path) -> str:
    if sys.platform == "win32":
        return ""
    group = port.group() if port.exists() else "dialout"
    if group == "root":
        return UDEV
    return f"sudo usermod -aG {group} $USER, then log out and in again"


def _ports_hint() -> str:
    # "n/a" is pyserial's word for not knowing.
    ports = [
        p.device if p.description in (None, "n/a") else f"{p.device} ({p.description})"
        for p in list_ports.comports()
    ]
    if not ports:
        return "no serial port is here at all: is the cable plugged in, and one that carries data?"
    return "the ports here: " + ", ".join(ports)


def _holders(port: Path) -> Iterator[str]:
    """Names of the processes that have ``port`` open, as far as Linux lets us see them."""
    wanted = port.resolve()
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with suppress(OSError):
            if any(link.resolve() == wanted for link in (process / "fd").iterdir()):
                yield f"{(process / 'comm').read_text().strip()}, process {process.name}"


def usb_serial_number(url: str) -> str:
    """The serial number of the USB device behind a port; "" if there is none."""
    if "://" in url:
        return ""
    numbers = (p.serial_number for p in list_ports.comports() if p.device == url)
    return next(numbers, None) or ""


def _renamed(url: str, usb: str) -> str:
    """Where the USB device is that used to be at ``url``."""
    if not usb or Path(url).exists():
        return url
    return next((str(p.device) for p in list_ports.comports() if p.serial_number == usb), url)
