"""Board files: TOML into ``Board`` values, strictly; ``docs/add-your-board.md`` has the keys."""

import os
import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from tinygen.board import (
    Board,
    Framework,
    Layout,
    MemoryKind,
    MemoryRegion,
    PlatformIO,
    Qemu,
    Register,
    Renode,
    Serial,
    Timer,
    Uart,
    Usb,
)
from tinygen.board.checks import check_board
from tinygen.board.cores import CORES, Core
from tinygen.board.schema import Table, did_you_mean
from tinygen.errors import BoardError
from tinygen.resources import data_dir

T = TypeVar("T")

BOARDS_VARIABLE = "TINYGEN_BOARDS"

# The shortest payload holds an identity with its texts; lengths on the wire have 16 bits.
_PAYLOAD = range(256, 32768 + 1)
_WINDOW = range(1, 64 + 1)
_WORD = range(1, 1 << 32)

# The host has no memory worth saving and loses nothing while it is busy.
_HOST_SERIAL = Serial(baud=115200, payload_bytes=16384, window=8, dtr=True, port="")
_PROBES = {name: name for name in ("", "stlink", "daplink", "jlink")}
_RUNNERS = {name: name for name in ("native", "qemu", "serial", "renode")}
_USB_ID = re.compile(r"[0-9A-F]{4}:[0-9A-F]{4}")
_CODE = re.compile(r"[0-9A-F]{4}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_REGION = re.compile(r"[A-Za-z]\w*", re.ASCII)


def load_board(name: str) -> Board:
    """The board called ``name``; ``_`` counts as ``-``, and a prefix ``qemu-`` is ignored.

    A name that ends in ``.toml`` is the path of a board file. Raises BoardError for a name that no
    board has, or a file that breaks the schema.
    """
    if name.endswith(".toml"):
        file = Path(name)
        if not file.is_file():
            raise BoardError(
                f"there is no board file {name}",
                "give its path, or a name that `tinygen boards` lists",
            )
        return read_board(file)
    boards = {canonical_name(b.name): b for b in all_boards()}
    wanted = canonical_name(name)
    if wanted not in boards:
        raise BoardError(
            f"unknown board '{name}'", did_you_mean(name, (b.name for b in boards.values()))
        )
    return boards[wanted]


def canonical_name(name: str) -> str:
    """The one spelling under which a board is found."""
    return name.lower().replace("_", "-").removeprefix("qemu-")


def all_boards() -> tuple[Board, ...]:
    """Every named board, in alphabetical order; one of the user's own hides tinygen's.

    Raises BoardError for a wrong file.
    """
    boards = {b.name: b for b in _own_boards()}
    for directory in filter(None, os.environ.get(BOARDS_VARIABLE, "").split(os.pathsep)):
        if not Path(directory).is_dir():
            raise BoardError(
                f"{BOARDS_VARIABLE} names '{directory}', which is no directory",
                f"correct or unset {BOARDS_VARIABLE}",
            )
        boards |= {b.name: b for b in _read_all(Path(directory))}
    return tuple(sorted(boards.values(), key=lambda b: b.name))


@cache
def _own_boards() -> tuple[Board, ...]:
    return _read_all(data_dir("boards"))


def _read_all(directory: Traversable) -> tuple[Board, ...]:
    files = [f for f in directory.iterdir() if f.name.endswith(".toml")]
    return tuple(read_board(f) for f in sorted(files, key=lambda f: f.name))


def read_board(file: Traversable) -> Board:
    """Read one board file. Raises BoardError that names the file, the key and the nearest valid
    one."""
    try:
        source = file.read_text(encoding="utf-8")
        values = tomllib.loads(source)
    except OSError as error:
        raise BoardError(f"cannot read {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(f"{file.name}: not a TOML file: {error}") from None
    top = Table(file.name, values)
    name = top.text("name")
    if f"{name}.toml" != file.name:
        raise BoardError(f"{file.name}: the board's name '{name}' is not the file's")
    if not _NAME.fullmatch(name):
        raise BoardError(f"{file.name}: a board's name is made of letters, digits and - _ . alone")
    frameworks = top.choices("frameworks", {f.value: f for f in Framework})
    hosted = Framework.HOST in frameworks
    if hosted and len(frameworks) > 1:
        raise BoardError(f"{file.name}: framework 'host' stands alone")
    core = top.choice("core", CORES)
    regions = () if hosted else _regions(top)
    bare = Framework.BARE in frameworks
    board = Board(
        name=name,
        title=top.text("title"),
        mcu=top.text("mcu", ""),
        core=core,
        fpu=top.choice("fpu", {f.value: f for f in core.fpus}),
        clock_hz=0 if hosted else top.integer("clock_hz"),
        frameworks=frameworks,
        runner=top.choice("runner", _RUNNERS),
        regions=regions,
        layout=None if hosted else _section(top, "layout", lambda t: _layout(t, regions, core)),
        serial=_HOST_SERIAL if hosted else _optional(top, "serial", _serial) or _serial(_EMPTY),
        uart=_section(top, "uart", _uart) if bare else _optional(top, "uart", _uart),
        timer=_section(top, "timer", _timer) if bare else _optional(top, "timer", _timer),
        setup=tuple(_register(t) for t in top.array("setup")),
        platformio=_optional(top, "platformio", lambda t: _platformio(t, name)),
        usb=_optional(top, "usb", _usb) or Usb(),
        renode=_optional(top, "renode", lambda t: Renode(t.text("platform", ""), t.text("uart"))),
        qemu=_optional(top, "qemu", lambda t: Qemu(t.text("machine"), t.texts("options"))),
        source=source,
    )
    top.finish()
    check_board(board, file.name)
    return board


_EMPTY = Table("", {})


def _section(top: Table, key: str, read: Callable[[Table], T]) -> T:
    table = top.table(key)
    value = read(table)
    table.finish()
    return value


def _optional(top: Table, key: str, read: Callable[[Table], T]) -> T | None:
    return _section(top, key, read) if top.has(key) else None


def _regions(top: Table) -> tuple[MemoryRegion, ...]:
    regions = []
    for name, table in top.tables("memory").items():
        if not _REGION.fullmatch(name):
            raise BoardError(f"{table.where}: a region's name is a word, as the linker has it")
        kind = table.choice("kind", {k.value: k for k in MemoryKind})
        regions.append(MemoryRegion(name, table.integer("origin"), table.size("size"), kind))
        table.finish()
    for i, a in enumerate(regions):
        for b in regions[:i]:
            if a.origin < b.end and b.origin < a.end:
                raise BoardError(f"{top.where}: memory '{a.name}' and '{b.name}' overlap")
    return tuple(regions)


def _layout(table: Table, regions: tuple[MemoryRegion, ...], core: Core) -> Layout:
    by_name = {r.name: r for r in regions}
    code = table.text("code", "flash")
    data = table.text("data", "ram")
    return Layout(
        vectors=table.choice("vectors", by_name, code),
        code=table.choice("code", by_name, "flash"),
        data=table.choice("data", by_name, "ram"),
        arena=table.choice("arena", by_name, data),
        stack_bytes=table.size("stack"),
        constants=table.choice("constants", by_name, code),
        static_limit=table.size("static_limit") if table.has("static_limit") else None,
        kernels=table.choice("kernels", by_name, data)
        if table.has("kernels") or core.runs_data
        else None,
    )


def _serial(table: Table) -> Serial:
    serial = Serial(
        baud=table.integer("baud", 115200),
        payload_bytes=table.size("payload", 1024),
        window=table.integer("window", 1),
        dtr=table.flag("dtr", True),
        port=table.text("port", ""),
    )
    _check(table, "baud", serial.baud, _WORD)
    _check(table, "payload", serial.payload_bytes, _PAYLOAD)
    _check(table, "window", serial.window, _WINDOW)
    return serial


@cache
def _drivers(kind: str) -> dict[str, str]:
    """The drivers of ``kind`` (uart, timer) that the firmware's templates have."""
    files = (data_dir("templates") / "firmware").iterdir()
    found = (re.fullmatch(rf"{kind}_(\w+)\.c", f.name) for f in files)
    return {m[1]: m[1] for m in found if m}


def _uart(table: Table) -> Uart:
    alternate = table.integer("alternate", 0)
    return Uart(
        driver=table.choice("driver", _drivers("uart")),
        origin=table.integer("origin", 0),
        clock_hz=table.integer("clock_hz", 0),
        peripheral=table.text("peripheral", ""),
        tx=table.text("tx", ""),
        rx=table.text("rx", ""),
        alternate=alternate,
        rx_alternate=table.integer("rx_alternate", alternate),
        tx_pin=table.integer("tx_pin", 0),
        rx_pin=table.integer("rx_pin", 0),
    )


def _timer(table: Table) -> Timer:
    driver = table.choice("driver", _drivers("timer"))
    timer = Timer(driver, table.integer("origin", 0), table.integer("hz"))
    _check(table, "hz", timer.hz, _WORD)
    return timer


def _register(table: Table) -> Register:
    register = Register(
        at=table.integer("at"),
        clear=table.integer("clear", 0),
        set=table.integer("set", 0),
        wait=table.integer("wait", 0),
        why=table.text("why"),
    )
    table.finish()
    _check(table, "at", register.at, range(0, 1 << 32, 4))
    for key in ("clear", "set", "wait"):
        _check(table, key, getattr(register, key), range(1 << 32))
    return register


def _platformio(table: Table, name: str) -> PlatformIO:
    return PlatformIO(
        platform=table.text("platform"),
        board=table.text("board", name),
        upload_protocol=table.text("upload_protocol"),
        options=table.strings("options"),
    )


def _usb(table: Table) -> Usb:
    return Usb(
        ids=_words(table, "ids", _USB_ID, 'an id is four and four digits, "2341:805A"'),
        probe=table.choice("probe", _PROBES, ""),
        codes=_words(table, "codes", _CODE, 'a board code is four digits, "0777"'),
        bridge=table.flag("bridge", False),
    )


def _words(table: Table, key: str, form: re.Pattern[str], hint: str) -> tuple[str, ...]:
    words = tuple(word.upper() for word in table.texts(key))
    for word in words:
        if not form.fullmatch(word):
            raise BoardError(f"{table.where}: '{key}' has {word!r}", hint)
    return words


def _check(table: Table, key: str, value: int, allowed: range) -> None:
    if value not in allowed:
        step = f", a multiple of {allowed.step}" if allowed.step > 1 else ""
        raise BoardError(
            f"{table.where}: '{key}' is {value}; "
            f"it must be from {allowed[0]} to {allowed[-1]}{step}"
        )
