"""Named boards: all that is known of one, as frozen values. ``file.py`` reads them from TOML.

A new board needs its file alone: one in ``boards/``, in a directory that TINYGEN_BOARDS names, or
given by its path.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from tinygen.board.cores import Core, Fpu
from tinygen.errors import BoardError


class Framework(Enum):
    """What the firmware stands on.

    HOST is the host's operating system, BARE nothing at all; the others are the vendors'.
    """

    HOST = "host"
    BARE = "bare"
    ARDUINO = "arduino"
    ESPIDF = "espidf"
    STM32CUBE = "stm32cube"


class MemoryKind(Enum):
    """What a region is to the report and the budget. PSRAM is RAM that is used only on request."""

    FLASH = "flash"
    RAM = "ram"
    PSRAM = "psram"


@dataclass(frozen=True, slots=True)
class MemoryRegion:
    """One span of address space that the linker may fill; ``origin`` and ``size`` in bytes."""

    name: str
    origin: int
    size: int
    kind: MemoryKind

    @property
    def end(self) -> int:
        """The first address behind the region."""
        return self.origin + self.size


@dataclass(frozen=True, slots=True)
class Layout:
    """Which region holds what. ``vectors`` is where the core looks for its vector table.

    ``constants`` is where a framework's linker puts constants, if not beside the code.
    ``static_limit`` is the largest arena that can be a variable, in bytes; None is no limit. A
    larger one comes from the framework's heap at start. ``kernels`` is RAM that code runs from, for
    kernels that are not to run from flash; None where there is none, or it is not known.
    """

    vectors: MemoryRegion
    code: MemoryRegion
    data: MemoryRegion
    arena: MemoryRegion
    stack_bytes: int
    constants: MemoryRegion
    static_limit: int | None = None
    kernels: MemoryRegion | None = None

    @property
    def regions(self) -> tuple[MemoryRegion, ...]:
        """The regions in use, each once."""
        return tuple(dict.fromkeys((self.vectors, self.code, self.data, self.arena)))

    def limit(self, kind: MemoryKind) -> int:
        """Bytes of ``kind`` that a model may fill; a region for the vectors alone is none of it."""
        fillable = dict.fromkeys((self.code, self.data, self.arena))
        return sum(r.size for r in fillable if r.kind is kind)


@dataclass(frozen=True, slots=True)
class Serial:
    """The serial port as the host sees it, whatever the firmware stands on.

    ``payload_bytes`` is the longest payload of one frame, and a buffer of that size in RAM.
    ``window`` is how many frames the host may send ahead: more than one only where the receiver
    loses nothing while it is busy. ``dtr`` is whether the host raises DTR and RTS when it opens the
    port: a USB stack waits for it, the reset circuit of many ESP32 boards takes it for a command.
    ``port`` is the chip's own name of the port, where its framework has several.
    """

    baud: int
    payload_bytes: int
    window: int
    dtr: bool
    port: str


@dataclass(frozen=True, slots=True)
class Uart:
    """The UART that firmware without a framework drives.

    ``driver`` names ``templates/firmware/uart_<driver>.c``; ``clock_hz`` is what its baud rate is
    divided from. ``peripheral``, ``tx``, ``rx`` and ``alternate`` are the names that STM32Cube has
    for it (``rx_alternate`` where the two pins differ); ``tx_pin`` and ``rx_pin`` numbers for a
    driver that chooses the pins. Unused ones are empty.
    """

    driver: str
    origin: int
    clock_hz: int
    peripheral: str
    tx: str
    rx: str
    alternate: int
    rx_alternate: int
    tx_pin: int
    rx_pin: int

    @property
    def low_power(self) -> bool:
        """Whether it is an STM32's LPUART, which divides its clock in another way."""
        return self.peripheral.startswith("LPUART")


@dataclass(frozen=True, slots=True)
class Timer:
    """A free-running counter: ``templates/firmware/timer_<driver>.c`` at ``hz``."""

    driver: str
    origin: int
    hz: int


@dataclass(frozen=True, slots=True)
class Register:
    """One step of what a chip needs before its UART works: clocks, pins, supplies.

    The bits ``clear`` and then ``set`` of the register at address ``at`` are changed; then the
    firmware waits until all bits of ``wait`` are set. ``why`` is the comment in the generated C.
    """

    at: int
    clear: int
    set: int
    wait: int
    why: str


@dataclass(frozen=True, slots=True)
class PlatformIO:
    """What PlatformIO is told: pinned platform, board id, how to upload, more lines of its ini."""

    platform: str
    board: str
    upload_protocol: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Usb:
    """How the board shows on USB.

    ``ids`` are its own, as ``VVVV:PPPP``. ``probe`` is the debugger on the board (stlink, daplink,
    jlink), whose ids many boards share; ``codes`` are the board codes that such a probe tells.
    ``bridge`` is whether the serial port is behind an ordinary USB-to-serial chip, on the board or
    of an adapter.
    """

    ids: tuple[str, ...] = ()
    probe: str = ""
    codes: tuple[str, ...] = ()
    bridge: bool = False


@dataclass(frozen=True, slots=True)
class Renode:
    """Renode's view: its own platform file, "" for one that tinygen writes, and the UART there."""

    platform: str
    uart: str


@dataclass(frozen=True, slots=True)
class Qemu:
    """QEMU's view: the machine, and more of its options."""

    machine: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """All facts about one board.

    The first of ``frameworks`` is the default. ``layout`` is None for the host; ``uart`` and
    ``timer`` are None where firmware without a framework is not possible. ``clock_hz`` is 0 where
    the clock is not known, as on the host. ``source`` is the text of the board file.
    """

    name: str
    title: str
    mcu: str
    core: Core
    fpu: Fpu
    clock_hz: int
    frameworks: tuple[Framework, ...]
    runner: str
    regions: tuple[MemoryRegion, ...]
    layout: Layout | None
    serial: Serial
    uart: Uart | None
    timer: Timer | None
    setup: tuple[Register, ...]
    platformio: PlatformIO | None
    usb: Usb
    renode: Renode | None
    qemu: Qemu | None
    source: str

    @property
    def framework(self) -> Framework:
        """The default framework."""
        return self.frameworks[0]

    @property
    def bare(self) -> bool:
        """Whether firmware without a framework is possible."""
        return Framework.BARE in self.frameworks

    @property
    def hosted(self) -> bool:
        """Whether the board is this computer."""
        return Framework.HOST in self.frameworks

    @property
    def machine(self) -> str:
        """QEMU's name for the board, "" for none."""
        return self.qemu.machine if self.qemu else ""

    @property
    def cflags(self) -> tuple[str, ...]:
        """Compiler flags that choose the instruction set."""
        return self.core.cflags(self.fpu)

    @property
    def flash_bytes(self) -> int | None:
        """Flash that firmware may fill; None on the host."""
        return self.layout.limit(MemoryKind.FLASH) if self.layout else None

    @property
    def ram_bytes(self) -> int | None:
        """RAM that firmware may fill; None on the host."""
        return self.layout.limit(MemoryKind.RAM) if self.layout else None

    def choose_framework(self, name: str | None) -> Framework:
        """The framework called ``name``, or the default. Raises BoardError for one it lacks."""
        if name is None:
            return self.framework
        for framework in self.frameworks:
            if framework.value == name:
                return framework
        offered = ", ".join(f.value for f in self.frameworks)
        raise BoardError(f"{self.name} has no framework '{name}'", f"it has: {offered}")

    def to_json(self) -> dict[str, Any]:
        """The facts as plain values, for ``tinygen boards --json``."""
        return {
            "name": self.name,
            "title": self.title,
            "mcu": self.mcu or None,
            "core": self.core.name,
            "fpu": self.fpu.value,
            "clock_hz": self.clock_hz or None,
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "framework": self.framework.value,
            "frameworks": [f.value for f in self.frameworks],
            "runner": self.runner,
            "machine": self.machine or None,
            "platform": self.platformio.platform if self.platformio else None,
            "upload_protocol": self.platformio.upload_protocol if self.platformio else None,
            "usb": list(self.usb.ids),
            "probe": self.usb.probe or None,
            "renode": self.renode is not None,
            "memory": [
                {"name": r.name, "origin": r.origin, "size": r.size, "kind": r.kind.value}
                for r in self.regions
            ],
            "stack_bytes": self.layout.stack_bytes if self.layout else None,
            "cflags": list(self.cflags),
            "baud": None if self.hosted else self.serial.baud,
            "uart": {"driver": self.uart.driver, "baud": self.serial.baud} if self.uart else None,
        }
