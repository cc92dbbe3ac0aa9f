"""Named boards: one TOML file each in ``boards/``, read into frozen values.

A new board needs its file alone. ``docs`` of the keys are the attributes below.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from tinygen.cores import CORES, Core, Fpu
from tinygen.errors import BoardError
from tinygen.resources import data_dir
from tinygen.schema import Table, did_you_mean

T = TypeVar("T")

# The shortest payload holds an identity with its texts; lengths on the wire have 16 bits.
_PAYLOAD = range(256, 32768 + 1)
_WINDOW = range(1, 64 + 1)


class Framework(Enum):
    """What the firmware stands on: nothing, or the host's operating system."""

    BARE = "bare"
    HOST = "host"


class MemoryKind(Enum):
    """What a region is to the report and the budget."""

    FLASH = "flash"
    RAM = "ram"


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
    """Which region holds what. ``vectors`` is where the core looks for its vector table."""

    vectors: MemoryRegion
    code: MemoryRegion
    data: MemoryRegion
    arena: MemoryRegion
    stack_bytes: int

    @property
    def regions(self) -> tuple[MemoryRegion, ...]:
        """The regions in use, each once."""
        return tuple(dict.fromkeys((self.vectors, self.code, self.data, self.arena)))

    def limit(self, kind: MemoryKind) -> int:
        """Bytes of ``kind`` that a model may fill; a region for the vectors alone is none of it."""
        fillable = dict.fromkeys((self.code, self.data, self.arena))
        return sum(r.size for r in fillable if r.kind is kind)


@dataclass(frozen=True, slots=True)
class Uart:
    """The serial port that the host talks to.

    ``driver`` names ``templates/firmware/uart_<driver>.c``. ``payload_bytes`` is the longest
    payload of one frame, and a buffer of that size in RAM. ``window`` is how many frames the host
    may send ahead: more than one only where the receiver loses nothing while it is busy.
    """

    driver: str
    origin: int
    baud: int
    payload_bytes: int
    window: int


@dataclass(frozen=True, slots=True)
class Timer:
    """A free-running counter: ``templates/firmware/timer_<driver>.c`` at ``hz``."""

    driver: str
    origin: int
    hz: int


@dataclass(frozen=True, slots=True)
class Board:
    """All facts about one board.

    ``memory``, ``uart`` and ``timer`` are None for a hosted board. ``clock_hz`` is 0 where the
    clock is not known, as on the host. ``machine`` is QEMU's name for the board, "" for none.
    """

    name: str
    title: str
    core: Core
    fpu: Fpu
    clock_hz: int
    framework: Framework
    runner: str
    regions: tuple[MemoryRegion, ...]
    layout: Layout | None
    uart: Uart | None
    timer: Timer | None
    machine: str

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

    def to_json(self) -> dict[str, Any]:
        """The facts as plain values, for ``tinygen boards --json``."""
        return {
            "name": self.name,
            "title": self.title,
            "core": self.core.name,
            "fpu": self.fpu.value,
            "clock_hz": self.clock_hz or None,
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "framework": self.framework.value,
            "runner": self.runner,
            "machine": self.machine or None,
            "memory": [
                {"name": r.name, "origin": r.origin, "size": r.size, "kind": r.kind.value}
                for r in self.regions
            ],
            "stack_bytes": self.layout.stack_bytes if self.layout else None,
            "cflags": list(self.cflags),
            "uart": {"driver": self.uart.driver, "baud": self.uart.baud} if self.uart else None,
        }


def load_board(name: str) -> Board:
    """The board called ``name``; ``_`` counts as ``-``, and a prefix ``qemu-`` is ignored.

    Raises BoardError for a name that no board has, or a file that breaks the schema.
    """
    boards = {canonical_name(b.name): b for b in all_boards()}
    wanted = canonical_name(name)
    if wanted not in boards:
        raise BoardError(f"unknown board '{name}'", did_you_mean(wanted, boards))
    return boards[wanted]


def canonical_name(name: str) -> str:
    """The one spelling under which a board is found."""
    return name.lower().replace("_", "-").removeprefix("qemu-")


@cache
def all_boards() -> tuple[Board, ...]:
    """Every named board, in alphabetical order. Raises BoardError for a wrong file."""
    files = [f for f in data_dir("boards").iterdir() if f.name.endswith(".toml")]
    return tuple(read_board(f) for f in sorted(files, key=lambda f: f.name))


def read_board(file: Traversable) -> Board:
    """Read one board file. Raises BoardError that names the file, the key and the nearest valid
    one."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(f"{file.name}: not a TOML file: {error}") from None
    top = Table(file.name, values)
    name = top.text("name")
    if f"{name}.toml" != file.name:
        raise BoardError(f"{file.name}: the board's name '{name}' is not the file's")
    core = top.choice("core", CORES)
    fpu = top.choice("fpu", {f.value: f for f in core.fpus})
    framework = top.choice("framework", {f.value: f for f in Framework})
    bare = framework is Framework.BARE
    regions = _regions(top) if bare else ()
    board = Board(
        name=name,
        title=top.text("title"),
        core=core,
        fpu=fpu,
        clock_hz=top.integer("clock_hz") if bare else 0,
        framework=framework,
        runner=top.text("runner"),
        regions=regions,
        layout=_section(top, "layout", lambda t: _layout(t, regions)) if bare else None,
        uart=_section(top, "uart", _uart) if bare else None,
        timer=_section(top, "timer", _timer) if bare else None,
        machine=_section(top, "qemu", lambda t: t.text("machine")) if top.has("qemu") else "",
    )
    top.finish()
    if board.runner == "qemu" and not board.machine:
        raise BoardError(f"{file.name}: runner 'qemu' needs [qemu] machine")
    return board


def _section(top: Table, key: str, read: Callable[[Table], T]) -> T:
    table = top.table(key)
    value = read(table)
    table.finish()
    return value


def _regions(top: Table) -> tuple[MemoryRegion, ...]:
    regions = []
    for name, table in top.tables("memory").items():
        kind = table.choice("kind", {k.value: k for k in MemoryKind})
        regions.append(MemoryRegion(name, table.integer("origin"), table.size("size"), kind))
        table.finish()
    for i, a in enumerate(regions):
        for b in regions[:i]:
            if a.origin < b.end and b.origin < a.end:
                raise BoardError(f"{top.where}: memory '{a.name}' and '{b.name}' overlap")
    return tuple(regions)


def _layout(table: Table, regions: tuple[MemoryRegion, ...]) -> Layout:
    by_name = {r.name: r for r in regions}
    code = table.text("code", "flash")
    data = table.text("data", "ram")
    return Layout(
        vectors=table.choice("vectors", by_name, code),
        code=table.choice("code", by_name, "flash"),
        data=table.choice("data", by_name, "ram"),
        arena=table.choice("arena", by_name, data),
        stack_bytes=table.size("stack"),
    )


def _uart(table: Table) -> Uart:
    uart = Uart(
        driver=table.text("driver"),
        origin=table.integer("origin"),
        baud=table.integer("baud", 115200),
        payload_bytes=table.size("payload", 1024),
        window=table.integer("window", 1),
    )
    for key, value, allowed in (
        ("baud", uart.baud, range(1, 1 << 32)),
        ("payload", uart.payload_bytes, _PAYLOAD),
        ("window", uart.window, _WINDOW),
    ):
        _check(table, key, value, allowed)
    return uart


def _timer(table: Table) -> Timer:
    timer = Timer(table.text("driver"), table.integer("origin"), table.integer("hz"))
    _check(table, "hz", timer.hz, range(1, 1 << 32))
    return timer


def _check(table: Table, key: str, value: int, allowed: range) -> None:
    if value not in allowed:
        raise BoardError(
            f"{table.where}: '{key}' is {value}; it must be from {allowed[0]} to {allowed[-1]}"
        )
