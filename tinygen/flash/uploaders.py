"""Upload protocols: how one is named, which go through a serial port, and which programs speak
them where PlatformIO does not: openocd for debug probes, stm32flash for ST's boot loader.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tinygen.board import Board, MemoryKind
from tinygen.board.schema import did_you_mean
from tinygen.errors import BoardError, ToolError

# PlatformIO's names. Some go through a serial port; picotool only resets the board through it, if
# there is one. The others find the board by themselves.
NEED_PORT = frozenset(("esptool", "serial", "sam-ba", "nrfutil", "blackmagic"))
SERIAL = NEED_PORT | {"picotool"}
_OPENOCD = {"stlink": "hla_swd", "cmsis-dap": "swd", "jlink": "swd"}
PROTOCOLS = SERIAL | frozenset(_OPENOCD) | {
    "custom", "dfu", "hid", "mbed", "nrfjprog", "raspberrypi-swd", "teensy-cli", "teensy-gui",
}  # fmt: skip
_OTHER_NAMES = {"daplink": "cmsis-dap", "st-link": "stlink", "j-link": "jlink"}

_SERIAL_NUMBER = re.compile(r"[0-9A-Za-z._-]+")


@dataclass(frozen=True, slots=True)
class Probe:
    """What the firmware goes through: a protocol, and a probe's serial number where there are
    several; "" is whichever is there."""

    protocol: str
    serial: str = ""


def parse_probe(text: str, board: Board) -> Probe:
    """Read ``PROTOCOL``, ``PROTOCOL:SERIAL`` or ``SERIAL``; "" is the board's own protocol.

    Raises BoardError for what is none of them.
    """
    usual = board.platformio.upload_protocol if board.platformio else ""
    name, colon, serial = text.partition(":")
    protocol = _OTHER_NAMES.get(name.lower(), name.lower())
    if not text or not name:
        protocol = usual
    elif protocol not in PROTOCOLS:
        if colon or _SERIAL_NUMBER.fullmatch(name) is None:
            raise BoardError(f"unknown upload protocol '{name}'", did_you_mean(protocol, PROTOCOLS))
        protocol, serial = usual, name
    if serial and protocol not in _OPENOCD:
        raise BoardError(
            f"'{protocol}' has no probe to choose by its serial number '{serial}'",
            f"these have: {', '.join(sorted(_OPENOCD))}",
        )
    if serial and _SERIAL_NUMBER.fullmatch(serial) is None:
        raise BoardError(f"'{serial}' is no serial number of a probe")
    return Probe(protocol, serial)


def serial_flags(probe: Probe) -> tuple[str, ...]:
    """The uploader's flags that choose the probe, put before its others by PlatformIO."""
    if not probe.serial:
        return ()
    if probe.protocol == "jlink":  # PlatformIO uploads with SEGGER's own program
        return ("-SelectEmuBySN", probe.serial)
    return ("-c", f"adapter serial {probe.serial}")


def direct_command(board: Board, image: str, probe: Probe, port: str) -> tuple[str, ...]:
    """The command that uploads ``image``, a path, without PlatformIO.

    Raises ToolError for a protocol that needs PlatformIO.
    """
    if probe.protocol in _OPENOCD:
        chosen = ("-c", f"adapter serial {probe.serial}") if probe.serial else ()
        return (
            "openocd", "-d1", *chosen,
            "-f", f"interface/{probe.protocol}.cfg",
            "-c", f"transport select {_OPENOCD[probe.protocol]}",
            "-f", f"target/{openocd_target(board)}.cfg",
            "-c", f"program {{{image}}} verify reset exit",
        )  # fmt: skip
    if probe.protocol == "serial" and board.mcu.upper().startswith("STM32"):
        if not port:
            raise ToolError("the boot loader is reached through a serial port", "give --port")
        start = min(r.origin for r in board.regions if r.kind is MemoryKind.FLASH)
        raw = str(Path(image).with_suffix(".bin"))
        return ("stm32flash", "-b", "115200", "-v", "-g", f"0x{start:08x}", "-w", raw, port)
    raise ToolError(
        f"uploading to {board.name} by '{probe.protocol}' needs PlatformIO",
        "pip install platformio, and leave --tool out",
    )


def needs_binary(command: tuple[str, ...]) -> bool:
    """Whether the program takes a raw binary instead of the ELF file."""
    return command[0] == "stm32flash"


def openocd_target(board: Board) -> str:
    """The name of openocd's file for the board's chip. Raises ToolError for an unknown one."""
    chip = board.mcu.lower()
    if found := re.match(r"stm32([a-z]\d)", chip):
        family = found[1]
        return f"stm32{family}" if family in ("l0", "l1") else f"stm32{family}x"
    for name in ("nrf51", "nrf52", "rp2040"):
        if chip.startswith(name):
            return name
    raise ToolError(f"openocd's name for {board.mcu or board.name} is not known", "use PlatformIO")
