"""What other programs' error messages mean: the cause in one line, and what to do.

``BUILD`` is PlatformIO's own, ``UPLOAD`` the uploaders': the comment of a row names the program
whose words it knows. The tests feed the rows with the programs' real output, or find the words in
the programs themselves.
"""

import re
from dataclasses import dataclass
from re import Pattern


@dataclass(frozen=True, slots=True)
class Cause:
    """A pattern of a program's output, and what is said instead.

    ``cause`` and ``remedy`` may name the pattern's groups, as in ``{port}``.
    """

    pattern: Pattern[str]
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a command failed, and what to do."""

    cause: str
    remedy: str


def explain(causes: tuple[Cause, ...], output: str, **names: str) -> Explained | None:
    """The first of ``causes`` that ``output`` shows; None if it shows none.

    ``names`` stand in for groups that the pattern lacks or did not find.
    """
    for row in causes:
        if found := row.pattern.search(output):
            words = names | {k: v for k, v in found.groupdict().items() if v}
            return Explained(row.cause.format(**words), row.remedy.format(**words))
    return None


def _row(pattern: str, cause: str, remedy: str) -> Cause:
    return Cause(re.compile(pattern, re.IGNORECASE | re.MULTILINE), cause, remedy)


UDEV = (
    "install PlatformIO's 99-platformio-udev.rules "
    "(https://docs.platformio.org/en/latest/core/installation/udev-rules.html), then unplug the "
    "board and plug it in again"
)
_GROUP = "add yourself to the port's group: sudo usermod -aG dialout $USER, then log in again"
_CABLE = "check the cable (a charging cable carries no data) and `tinygen boards --detect`"
_BOOT = "hold the board's BOOT button, press and release RESET, let BOOT go, and flash again"
_OTHERS = "close the monitor or debugger that has it open"
_POWER = (
    "check that the board has power and that the probe's cable is on; hold RESET while it starts"
)

BUILD = (
    _row(
        r"HTTPClientError|InternetConnectionError|not connected to the Internet",
        "PlatformIO's registry cannot be reached, and a package has to be downloaded",
        "try again with a network",
    ),
    _row(
        r"UnknownPackageError: Could not find the package with '(?P<package>[^']*)' requirements",
        "PlatformIO's registry has no package {package}",
        "`pio pkg search` lists what it has; `pio upgrade` updates PlatformIO itself",
    ),
    _row(
        r"Unknown board ID '(?P<board>[^']*)'",
        "PlatformIO's platform has no board '{board}'",
        "update the platform in the board file, or correct [platformio] board",
    ),
    _row(
        r"This board doesn't support (?P<framework>\S+) framework",
        "PlatformIO has no framework {framework} for this board",
        "choose another with --framework",
    ),
    _row(
        r"depends on PlatformIO Core (?P<core>\S+)",
        "the platform needs PlatformIO {core}",
        "pip install -U platformio",
    ),
    _row(
        r"No space left on device",
        "the disk is full",
        "`pio system prune` removes packages that no project needs",
    ),
)

UPLOAD = (
    # Everybody's: libusb, and the operating system's word for a port.
    _row(
        r"LIBUSB_ERROR_ACCESS|insufficient permissions|libusb.*Permission denied",
        "no permission to use the board's USB device",
        UDEV,
    ),
    _row(
        r"LIBUSB_ERROR_BUSY|Resource busy", "another program uses the board's USB device", _OTHERS
    ),
    _row(
        r"(could not open port|Could not open|Failed to open port:?) ?(?P<port>/dev/\S*\w).*"
        r"(\s.*)?(Permission denied|Errno 13)",
        "no permission to open {port}",
        _GROUP,
    ),
    _row(
        r"Could not exclusively lock port (?P<port>[^:]+)|(?P<name>\S+): Device or resource busy",
        "port {port} is in use by another program",
        _OTHERS,
    ),
    # esptool
    _row(
        r"Could not open (?P<port>\S+), the port is busy or doesn't exist.*\s.*(Errno 2\b|No such)",
        "there is no port {port}",
        _CABLE,
    ),
    _row(
        r"This chip is (?P<chip>\S+), not (?P<wanted>[^\s.]+)",
        "the chip is an {chip}, and the firmware is for {wanted}",
        "generate the project for that board: `tinygen boards` lists them",
    ),
    _row(
        r"Failed to connect to (?P<chip>.+?): |Wrong boot mode detected|Could not connect to an "
        r"Espressif device",
        "the chip did not enter its boot loader",
        _BOOT,
    ),
    # stm32flash
    _row(
        r"Failed to init device|Got NACK from device|Failed to read ACK",
        "the chip's boot loader does not answer",
        "set the jumper BOOT0 to 1, press RESET, and flash again; set it back afterwards",
    ),
    _row(
        r"Cannot handle device \"(?P<port>[^\"]*)\"",
        "port {port} cannot be opened",
        _CABLE,
    ),
    # bossac, dfu-util, picotool, teensy_loader_cli
    _row(
        r"No device found on (?P<port>\S+)",
        "no board in its boot loader on {port}",
        "press the board's RESET button twice, quickly, and flash again",
    ),
    _row(
        r"No DFU capable USB device available|No accessible RP2\d+ devices in BOOTSEL mode",
        "no board in its boot loader is connected",
        "hold BOOT (BOOTSEL) while plugging the board in, or press RESET twice; then flash again",
    ),
    _row(
        r"More than one DFU capable USB device",
        "more than one board in its boot loader is connected",
        "leave only one plugged in",
    ),
    _row(
        r"Unable to open (USB )?device.*-w option|Waiting for Teensy",
        "no Teensy answers",
        "press the button on the Teensy, and flash again",
    ),
    # openocd, st-flash, pyocd, J-Link Commander
    _row(
        r"unable to connect to the target|Not examined|target voltage may be too low",
        "the probe is there, but the chip behind it does not answer",
        _POWER,
    ),
    _row(
        r"UNEXPECTED idcode|IDCODE mismatch|expected 1 of",
        "the chip behind the probe is another one than the board's",
        "is this the board that the project was generated for?",
    ),
    _row(
        r"Error: open failed|unable to find a matching CMSIS-DAP|No J-Link device found|"
        r"Couldn't find any ST-Link|No connected debug probes|Connecting to J-Link.*FAILED",
        "no debug probe is connected",
        _CABLE,
    ),
    _row(
        r"(?P<tool>JLinkExe|nrfjprog|openocd): (command )?not found",
        "{tool} is not installed",
        "install it, or name another way with --probe",
    ),
    # PlatformIO
    _row(
        r"Unknown upload protocol (?P<protocol>\S+)",
        "PlatformIO cannot upload to this board by '{protocol}'",
        "leave --probe out, or name a way that PlatformIO's page of the board lists",
    ),
    _row(
        r"Please specify `upload_port`|Couldn't find a board on the selected port",
        "no port of the board was found",
        "name it with --port; " + _CABLE,
    ),
    _row(
        r"Verif(y|ication) failed|Failed to verify|MD5 of file does not match",
        "what was written does not read back",
        "flash again; a worn cable or a hub may be the reason",
    ),
)
