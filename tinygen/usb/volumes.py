"""Board codes on the drives that debug probes mount: which board a probe is soldered to.

An ST-Link, a DAPLink and a J-Link on a vendor's board show a small drive with a file MBED.HTM, and
the link in it begins with four digits that name the board; a DAPLink's DETAILS.TXT has its number.
"""

import os
import re
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
_SYSFS = Path("/sys/class/block")
_FILE_SYSTEMS = ("vfat", "msdos", "exfat", "fuseblk")

_CODE = re.compile(r"\?code=([0-9A-Fa-f]{4})|\?auth=([0-9A-Fa-f]{4})")
_UNIQUE_ID = re.compile(r"^Unique ID:\s*([0-9A-Fa-f]{8,})", re.MULTILINE)
_USB_PLACE = re.compile(r"/usb\d+/(?:[^/]+/)*(\d+-[\d.]+)/[^/]+:")

_FILES = ("MBED.HTM", "DETAILS.TXT")

# The files have a few hundred bytes; a drive may be a card with anything on it.
_LONGEST_FILE = 4096


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted drive of a probe.

    ``code`` is the board's; ``serial_number`` the probe's and ``location`` its place on the bus, as
    pyserial words them, where they are known.
    """

    path: str
    code: str
    serial_number: str = ""
    location: str = ""


def read_volume(root: Path, location: str = "") -> Volume | None:
    """What the drive at ``root`` tells; None if it is no probe's."""
    texts = dict(_small_files(root))
    details = _UNIQUE_ID.search(texts.get("DETAILS.TXT", ""))
    if details:
        return Volume(str(root), details[1][:4].upper(), details[1], location)
    link = _CODE.search(texts.get("MBED.HTM", ""))
    if link:
        return Volume(str(root), (link[1] or link[2]).upper(), "", location)
    return None


def mounted_volumes() -> tuple[Volume, ...]:
    """The drives of probes that are mounted now, in the system's order."""
    found = (read_volume(root, location) for root, location in _roots())
    return tuple(volume for volume in found if volume is not None)


def _roots() -> Iterator[tuple[Path, str]]:
    """Places where small drives are mounted, each with its place on USB where that is known."""
    if sys.platform == "win32":
        yield from ((Path(f"{letter}:/"), "") for letter in string.ascii_uppercase[3:])
    elif sys.platform == "darwin":
        yield from ((path, "") for path in sorted(Path("/Volumes").iterdir()))
    elif _MOUNTS.is_file():
        yield from linux_mounts(_MOUNTS.read_text(encoding="utf-8", errors="replace"), _SYSFS)


def linux_mounts(mounts: str, sysfs: Path) -> Iterator[tuple[Path, str]]:
    """Mount points of FAT drives in the text of ``/proc/self/mounts``, with their places on USB."""
    for line in mounts.splitlines():
        device, point, kind = [*line.split(), "", "", ""][:3]
        if kind not in _FILE_SYSTEMS:
            continue
        # The kernel writes a space as \040.
        path = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), point)
        place = _USB_PLACE.search(os.path.realpath(sysfs / Path(device).name))
        yield Path(path), place[1] if place else ""


def _small_files(root: Path) -> Iterator[tuple[str, str]]:
    try:
        files = [f for f in root.iterdir() if f.name.upper() in _FILES]
        for path in files:
            with path.open("rb") as file:
                text = file.read(_LONGEST_FILE)
            yield path.name.upper(), text.decode("ascii", "replace").replace("\r", "")
    except OSError:
        return  # not there, not ours, or gone in between
