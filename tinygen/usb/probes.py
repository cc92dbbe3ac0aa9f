"""USB devices of this computer as Linux lists them: is a probe there, and may we use it?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SYSFS = Path("/sys/bus/usb/devices")
_DEVFS = Path("/dev/bus/usb")

# Vendor, and the products where the vendor makes other things too. ST's are those of the ST-Link
# V2, V2-1 and V3; 0D28:0204 is Arm's DAPLink; all of SEGGER's are probes.
PROBES: dict[str, tuple[str, tuple[str, ...]]] = {
    "stlink": (
        "0483",
        ("3748", "374a", "374b", "3752", "374d", "374e", "374f", "3753", "3754"),
    ),
    "cmsis-dap": ("0d28", ("0204",)),
    "jlink": ("1366", ()),
}


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One device: ids as four hexadecimal digits, and whether this user may open it."""

    vendor: str
    product: str
    serial: str
    usable: bool


def usb_devices(sysfs: Path = _SYSFS, devfs: Path = _DEVFS) -> Iterator[UsbDevice]:
    """Every connected device; none on systems without Linux's ``/sys``."""
    if not sysfs.is_dir():
        return
    for directory in sorted(sysfs.iterdir()):
        if not (directory / "idVendor").is_file():
            continue  # an interface of a device
        node = devfs / _text(directory, "busnum").zfill(3) / _text(directory, "devnum").zfill(3)
        yield UsbDevice(
            vendor=_text(directory, "idVendor"),
            product=_text(directory, "idProduct"),
            serial=_text(directory, "serial"),
            usable=os.access(node, os.R_OK | os.W_OK),
        )


def probes(kind: str, sysfs: Path = _SYSFS, devfs: Path = _DEVFS) -> tuple[UsbDevice, ...]:
    """The connected probes of ``kind``, a key of ``PROBES``."""
    vendor, products = PROBES[kind]
    return tuple(
        d
        for d in usb_devices(sysfs, devfs)
        if d.vendor == vendor and (not products or d.product in products)
    )


def _text(directory: Path, name: str) -> str:
    file = directory / name
    return file.read_text(encoding="utf-8", errors="replace").strip() if file.is_file() else ""
