"""What must agree between the parts of a board file: mistakes that each part's own reader cannot
see, and that would otherwise show in a linker's words, or on the desk as silence."""

import re
from collections.abc import Iterator
from functools import cache

from tinygen.board import Board, Framework, MemoryKind, PlatformIO, Uart
from tinygen.errors import BoardError
from tinygen.resources import data_dir

_ADDRESSES = 1 << 32
_SMALLEST_STACK = 256
# A UART samples a bit at least so often.
_OVERSAMPLING = 16
_PIN = re.compile(r"P[A-Z]([0-9]|1[0-5])")
_PERIPHERAL = re.compile(r"(LP)?US?ART[0-9]+")
_ALTERNATES = range(16)
_PORTS = ("", "usb")


def check_board(board: Board, where: str) -> None:
    """Raise BoardError, naming the file ``where``, for parts that do not agree."""
    for check in (_memory, _runner, _frameworks, _bare, _cube, _serial, _platformio):
        for problem in check(board):
            raise BoardError(f"{where}: {problem}")


def _memory(board: Board) -> Iterator[str]:
    for region in board.regions:
        if region.end > _ADDRESSES:
            yield f"memory '{region.name}' ends behind the address 0xffffffff"
    layout = board.layout
    if layout is None:
        return
    for key, region in (("data", layout.data), ("arena", layout.arena)):
        if region.kind is not MemoryKind.RAM:
            kind = region.kind.value
            yield f"[layout]: '{key}' is '{region.name}', whose kind is {kind}, not ram"
    for key, region in (("code", layout.code), ("vectors", layout.vectors)):
        if region.kind is MemoryKind.PSRAM:
            yield f"[layout]: '{key}' is '{region.name}', whose kind is psram"
    if not _SMALLEST_STACK <= layout.stack_bytes < layout.data.size:
        yield (
            f"[layout]: 'stack' is {layout.stack_bytes}; it must be {_SMALLEST_STACK} at least, "
            f"and less than '{layout.data.name}', {layout.data.size}"
        )
    if not 0 < board.clock_hz < _ADDRESSES:
        yield f"'clock_hz' is {board.clock_hz}; it must be from 1 to {_ADDRESSES - 1}"


def _runner(board: Board) -> Iterator[str]:
    for runner, section in (("qemu", board.qemu), ("renode", board.renode)):
        if board.runner == runner and section is None:
            yield f"runner '{runner}' needs [{runner}]"
    if board.renode and not re.fullmatch(r"\w+", board.renode.uart):
        yield f"[renode]: 'uart' is '{board.renode.uart}'; it is one word, as \"usart2\""
    if board.runner == "native" and not board.hosted:
        yield "runner 'native' is for framework 'host' alone"


def _frameworks(board: Board) -> Iterator[str]:
    if board.hosted != (board.core.arch == "host"):
        yield f"core '{board.core.name}' does not go with frameworks {_names(board)}"
    vendor = [f for f in board.frameworks if f not in (Framework.HOST, Framework.BARE)]
    if vendor and board.platformio is None:
        yield f"framework '{vendor[0].value}' needs [platformio]"
    if Framework.ESPIDF in vendor and not board.mcu.upper().startswith("ESP32"):
        yield f"framework 'espidf' is for an ESP32; 'mcu' is '{board.mcu}'"


def _names(board: Board) -> str:
    return ", ".join(f"'{f.value}'" for f in board.frameworks)


def _bare(board: Board) -> Iterator[str]:
    """What the drivers use of the board's facts, their source tells."""
    if not board.bare:
        return
    assert board.uart is not None and board.timer is not None
    if not board.core.qemu:
        yield f"framework 'bare' has no start-up code for core '{board.core.name}'"
    uses = _facts_of(f"uart_{board.uart.driver}")
    if "UART_ORIGIN" in uses:
        yield from _address("uart", board.uart.origin)
    if "TIMER_ORIGIN" in _facts_of(f"timer_{board.timer.driver}"):
        yield from _address("timer", board.timer.origin)
    if "UART_CLOCK_HZ" in uses:
        yield from _clock(board.uart, board.serial.baud)


def _address(section: str, origin: int) -> Iterator[str]:
    if origin not in range(4, _ADDRESSES, 4):
        yield f"[{section}]: 'origin' is 0x{origin:08x}; this driver needs its registers' address"


def _clock(uart: Uart, baud: int) -> Iterator[str]:
    if not uart.low_power and not _OVERSAMPLING * baud <= uart.clock_hz < _ADDRESSES:
        yield (
            f"[uart]: 'clock_hz' is {uart.clock_hz}; {baud} baud needs a clock from "
            f"{_OVERSAMPLING * baud} to {_ADDRESSES - 1}"
        )


@cache
def _facts_of(driver: str) -> frozenset[str]:
    source = data_dir("templates") / "firmware" / f"{driver}.c"
    return frozenset(re.findall(r"(?:UART|TIMER)_[A-Z_]+", source.read_text(encoding="utf-8")))


def _cube(board: Board) -> Iterator[str]:
    """STM32Cube's port is written with the chip's own names."""
    if Framework.STM32CUBE not in board.frameworks:
        return
    uart = board.uart
    if not board.mcu.startswith("STM32"):
        yield f"framework 'stm32cube' is for an STM32; 'mcu' is '{board.mcu}'"
    if uart is None or not uart.peripheral:
        yield "framework 'stm32cube' needs [uart] peripheral, tx and rx"
        return
    if not _PERIPHERAL.fullmatch(uart.peripheral):
        yield f"[uart]: 'peripheral' is '{uart.peripheral}'; it is written as \"USART2\""
    for key, pin in (("tx", uart.tx), ("rx", uart.rx)):
        if not _PIN.fullmatch(pin):
            yield f"[uart]: '{key}' is '{pin}'; a pin is written as \"PA2\""
    for key, number in (("alternate", uart.alternate), ("rx_alternate", uart.rx_alternate)):
        if number not in _ALTERNATES:
            yield f"[uart]: '{key}' is {number}; it must be from 0 to {_ALTERNATES[-1]}"


def _serial(board: Board) -> Iterator[str]:
    if board.serial.port not in _PORTS:
        yield f"[serial]: 'port' is '{board.serial.port}'; leave it out, or say \"usb\""


def _platformio(board: Board) -> Iterator[str]:
    given = board.platformio
    if given is None:
        return
    if not _pinned(given):
        yield (
            f"[platformio]: 'platform' is '{given.platform}'; pin its version, as in "
            '"ststm32 @ ~19.6.0"'
        )
    for key, _ in given.options:
        if key in _keys_of_the_ini():
            yield f"[platformio]: 'options' has '{key}', which tinygen writes itself"


def _pinned(given: PlatformIO) -> bool:
    """A path or a URL is its own business."""
    name, at, version = given.platform.partition("@")
    return "/" in name or bool(name.strip() and at and version.strip())


@cache
def _keys_of_the_ini() -> frozenset[str]:
    template = data_dir("templates") / "project" / "platformio.ini.j2"
    keys = re.findall(r"(?m)^([a-z]\S*) =", template.read_text(encoding="utf-8"))
    return frozenset(keys) - {"build_flags"}  # the board's are added to those
