"""Which boards are plugged in: what USB and the probes' drives prove, and never more than that.

A board is named only where its own USB id or its probe's board code does. A USB-to-serial bridge is
called just that, and so is an id that several boards share.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tinygen.board import Board
from tinygen.board.file import all_boards
from tinygen.run.ports import PortError
from tinygen.usb.probes import PROBES
from tinygen.usb.volumes import Volume, mounted_volumes

# Chips whose id says nothing of the board around them: Linux's usb.ids, the makers' data sheets.
_BRIDGES = {
    "10C4:EA60": "CP210x USB-to-serial bridge",
    "10C4:EA70": "CP2105 USB-to-serial bridge",
    "10C4:EA71": "CP2108 USB-to-serial bridge",
    "1A86:5523": "CH341 USB-to-serial bridge",
    "1A86:7523": "CH340 USB-to-serial bridge",
    "1A86:55D3": "CH343 USB-to-serial bridge",
    "1A86:55D4": "CH9102 USB-to-serial bridge",
    "0403:6001": "FT232R USB-to-serial bridge",
    "0403:6010": "FT2232 USB-to-serial bridge",
    "0403:6011": "FT4232 USB-to-serial bridge",
    "0403:6014": "FT232H USB-to-serial bridge",
    "0403:6015": "FT-X USB-to-serial bridge",
    "067B:2303": "PL2303 USB-to-serial bridge",
    "2E8A:000C": "Raspberry Pi Debug Probe",
}

# Ids that tell a chip, or what runs on it, but not the board.
_SHARED = {
    "303A:1001": "USB port of an ESP32-S3, C3, C6 or H2",
    "2886:0056": "Seeed XIAO ESP32S3 of some kind",
    "2886:8056": "Seeed XIAO ESP32S3 of some kind",
    "16C0:0483": "Teensy of some kind",
    "2E8A:000A": "RP2040 or RP2350 with the Pico SDK's serial port",
    "2E8A:00C0": "RP2040 with Arduino's core for the Pico",
    "0483:5740": "STM32 with ST's example of a serial port",
    "1EAF:0003": "STM32F1 with the Maple boot loader",
    "1EAF:0004": "STM32F1 with the Maple boot loader",
}

_PROBE_TITLES = {"stlink": "ST-Link", "daplink": "DAPLink", "jlink": "J-Link"}
_PROBE_KEYS = {"daplink": "cmsis-dap"}
_CODE_DIGITS = 4

# A DAPLink's serial number starts with the board's code, and has at least this many digits.
_DAPLINK_SERIAL = 32


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port as pyserial lists it; ``usb`` is ``VVVV:PPPP``, empty for a port of another
    kind."""

    device: str
    usb: str = ""
    serial_number: str = ""
    location: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one port, or one drive without a port, is known to be.

    ``boards`` are the named boards that it can be; it is one of them for certain only if
    ``proven``, and then there is one. ``probe`` is the kind of debugger, ``code`` what it says.
    """

    what: str
    port: Port | None = None
    volume: str = ""
    boards: tuple[str, ...] = ()
    proven: bool = False
    probe: str = ""
    code: str = ""
    bridge: bool = False

    @property
    def place(self) -> str:
        """The port or drive, as the user calls it."""
        return self.port.device if self.port else self.volume

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        return {
            "port": self.port.device if self.port else None,
            "volume": self.volume or None,
            "usb": self.port.usb if self.port else None,
            "serial_number": (self.port.serial_number or None) if self.port else None,
            "what": self.what,
            "board": self.boards[0] if self.proven else None,
            "candidates": list(self.boards),
            "code": self.code or None,
        }


def connected_ports() -> tuple[Port, ...]:
    """The serial ports of this computer, in pyserial's order."""
    from serial.tools import list_ports

    return tuple(
        Port(
            device=p.device,
            usb="" if p.vid is None else f"{p.vid:04X}:{p.pid or 0:04X}",
            serial_number=p.serial_number or "",
            location=p.location or "",
            product=p.product or "",
        )
        for p in sorted(list_ports.comports())
    )


def detect(
    ports: Iterable[Port], volumes: Sequence[Volume], boards: Sequence[Board]
) -> tuple[Finding, ...]:
    """What each USB port is, then the drives that belong to none of them."""
    found = []
    used: set[str] = set()
    for port in ports:
        if port.usb:
            volume = next((v for v in volumes if _belongs(v, port)), None)
            used |= {volume.path} if volume else set()
            found.append(_identify(port, volume, boards))
    for volume in volumes:
        if volume.path not in used:
            what = f"drive of a debug probe, board code {volume.code}"
            found.append(_of_code(Finding(what, volume=volume.path, code=volume.code), boards))
    return tuple(found)


def find_port(
    board: Board, ports: Sequence[Port], volumes: Sequence[Volume], boards: Sequence[Board]
) -> Port:
    """The only port that ``board`` can be behind.

    What is proven to be the board comes before what only may be. Raises PortError where no port
    fits, or more than one.
    """
    # A board of the user's own, given by its file, is none of ``boards``.
    known = [*(b for b in boards if b.name != board.name), board]
    findings = [f for f in detect(ports, volumes, known) if f.port]
    fitting = [f for f in findings if f.proven and board.name in f.boards]
    fitting = fitting or [f for f in findings if _may_be(f, board)]
    if not fitting:
        seen = "".join(f"\n  {line}" for line in _lines(findings))
        raise PortError(
            f"no serial port looks like {board.name}'s"
            + (f"; plugged in:{seen}" if seen else ": no USB serial port is plugged in"),
            "--port PORT says which it is; a charging cable carries no data",
        )
    if len(fitting) > 1:
        raise PortError(
            f"{len(fitting)} ports can be {board.name}'s:"
            + "".join(f"\n  {line}" for line in _lines(fitting)),
            "--port PORT says which one",
        )
    port = fitting[0].port
    assert port is not None
    return port


def port_of(board: Board) -> str:
    """The name of the only port here that ``board`` can be behind. Raises PortError."""
    return find_port(board, connected_ports(), mounted_volumes(), all_boards()).device


def detect_text(findings: Sequence[Finding]) -> str:
    """The findings as a person reads them."""
    if not findings:
        return "nothing is plugged in that could be a board: no USB serial port, no probe's drive"
    return "\n".join(_lines(findings))


def to_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings as values that ``json.dumps`` takes."""
    return [finding.to_json() for finding in findings]


def _identify(port: Port, volume: Volume | None, boards: Sequence[Board]) -> Finding:
    probe = _probe_of(port)
    if probe:
        code = volume.code if volume else _serial_code(port, probe)
        title = _PROBE_TITLES[probe]
        if not code:
            return Finding(f"{title}: its board's code is not to be read", port, probe=probe)
        finding = Finding(f"{title}, board code {code}", port, probe=probe, code=code)
        return _of_code(finding, boards)
    if port.usb in _BRIDGES:
        return Finding(f"{_BRIDGES[port.usb]}: cannot name its board", port, bridge=True)
    names = tuple(b.name for b in boards if port.usb in b.usb.ids)
    if port.usb in _SHARED:
        return Finding(_SHARED[port.usb], port, boards=names)
    if len(names) == 1:
        title = next(b.title for b in boards if b.name == names[0])
        return Finding(title, port, boards=names, proven=True)
    what = port.product or "USB serial port"
    return Finding(what if names else f"{what}: not a known board", port, boards=names)


def _of_code(finding: Finding, boards: Sequence[Board]) -> Finding:
    """The finding with the boards of its code; a code that nobody has is said to be that."""
    names = tuple(b.name for b in boards if finding.code in b.usb.codes)
    what = finding.what if names else f"{finding.what}: not a known board"
    return Finding(
        what, finding.port, finding.volume, names, len(names) == 1, finding.probe, finding.code
    )


def _belongs(volume: Volume, port: Port) -> bool:
    """Whether drive and port are two sides of one probe."""
    if volume.serial_number:
        return volume.serial_number.upper() == port.serial_number.upper()
    # "1-2:1.2" is interface 1.2 of the device at 1-2.
    return bool(volume.location) and volume.location == port.location.partition(":")[0]


def _probe_of(port: Port) -> str:
    vendor, _, product = port.usb.lower().partition(":")
    for probe in _PROBE_TITLES:
        maker, products = PROBES[_PROBE_KEYS.get(probe, probe)]
        if vendor == maker and (not products or product in products):
            return probe
    return ""


def _serial_code(port: Port, probe: str) -> str:
    serial = port.serial_number
    if probe != "daplink" or len(serial) < _DAPLINK_SERIAL:
        return ""
    return serial[:_CODE_DIGITS].upper()


def _may_be(finding: Finding, board: Board) -> bool:
    """Whether a port that is proven to be nothing else can lead to ``board``."""
    if finding.boards:
        return board.name in finding.boards
    if finding.code:
        # A code that no board claims may be that of a board whose file claims none.
        return finding.probe == board.usb.probe and not board.usb.codes
    if finding.bridge:
        return board.usb.bridge
    if finding.probe:
        # The probe of a board with a bridge has no serial port, or it leads elsewhere.
        return finding.probe == board.usb.probe and not board.usb.bridge
    return False


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    width = max(len(f.place) for f in findings) if findings else 0
    for finding in findings:
        usb = finding.port.usb if finding.port else ""
        yield f"{finding.place:<{width}}  {usb:<9}  {finding.what}{_names(finding)}"


def _names(finding: Finding) -> str:
    if finding.proven:
        return f": {finding.boards[0]}"
    if not finding.boards:
        return ""
    if len(finding.boards) == 1:
        return f": perhaps {finding.boards[0]}"
    return f": one of {', '.join(finding.boards)}, perhaps"
