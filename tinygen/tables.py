"""Plain-text tables, and the lists of boards and tools that are shown as such."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tinygen.board import Board

if TYPE_CHECKING:
    from tinygen.doctor import Check


def table(
    rows: Sequence[Sequence[str]], right: Iterable[int] = (), *, clip: bool = True
) -> list[str]:
    """Rows as aligned text; ``right`` columns are flush right, ``clip`` cuts long cells."""
    clipped = [[_shortened(cell) if clip else cell for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in clipped) for i in range(len(clipped[0]))]
    flush = set(right)
    return [
        "  ".join(
            cell.rjust(widths[i]) if i in flush else cell.ljust(widths[i])
            for i, cell in enumerate(row)
        ).rstrip()
        for row in clipped
    ]


def _shortened(cell: str) -> str:
    return cell if len(cell) <= 48 else cell[:45] + "..."


def boards_table(boards: Sequence[Board]) -> list[str]:
    """One line per board."""
    rows = [("board", "core", "clock", "flash", "RAM", "frameworks", "runs in", "")]
    rows += [
        (
            b.name,
            b.core.title,
            f"{b.clock_hz / 1e6:g} MHz" if b.clock_hz else "-",
            kibibytes(b.flash_bytes),
            kibibytes(b.ram_bytes),
            ", ".join(f.value for f in b.frameworks),
            _runners(b),
            b.title,
        )
        for b in boards
    ]
    return table(rows, right=(2, 3, 4))


def board_text(board: Board) -> list[str]:
    """One board in full."""
    rows = [
        ("board", board.name),
        ("title", board.title),
        ("core", f"{board.core.title}, FPU {board.fpu.value}"),
        ("clock", f"{board.clock_hz / 1e6:g} MHz" if board.clock_hz else "-"),
        ("frameworks", ", ".join(f.value for f in board.frameworks)),
        ("runs in", _runners(board)),
        ("compiler flags", " ".join(board.cflags) or "-"),
    ]
    if board.mcu:
        rows.insert(2, ("chip", board.mcu))
    rows += [
        (r.name, f"{r.kind.value} {kibibytes(r.size)} at 0x{r.origin:08x}") for r in board.regions
    ]
    if board.layout:
        rows.append(("stack", f"{board.layout.stack_bytes:,} bytes reserved"))
    if not board.hosted:
        rows.append(("serial", f"{board.serial.baud} baud"))
    if board.platformio:
        rows.append(("PlatformIO", f"{board.platformio.platform}, board {board.platformio.board}"))
        rows.append(("upload", board.platformio.upload_protocol))
    if board.usb.ids or board.usb.probe:
        rows.append(("USB", ", ".join((*board.usb.ids, *filter(None, [board.usb.probe])))))
    return table(rows, clip=False)


def _runners(board: Board) -> str:
    """Where the board's firmware can run, the default first."""
    words = {"native": "this computer", "serial": "the board", "qemu": f"QEMU {board.machine}"}
    others = [name for name in ("qemu", "renode") if getattr(board, name) is not None]
    names = dict.fromkeys((board.runner, *others))
    return ", ".join(words.get(name, "Renode") for name in names)


def kibibytes(size: int | None) -> str:
    """``size`` bytes, short."""
    return "-" if size is None else f"{size / 1024:.0f}K"


def doctor_table(found: "Sequence[Check]") -> list[str]:
    """One line per tool; what is missing is followed by the line that installs it."""
    rows = [("", "tool", "version", "needed for")]
    for check in found:
        state = "ok" if check.found else "MISSING" if check.required else "absent"
        rows.append((state, check.name, check.version or "-", check.purpose))
    lines = table(rows)
    missing = [c for c in found if not c.found]
    if missing:
        lines += ["", "to install what is not here:"]
        lines += [f"  {c.name}: {c.install}" for c in missing]
    return lines
