"""Plain-text tables, and the lists of boards and tools that are shown as such."""

from collections.abc import Iterable, Sequence

from tinygen.board import Board
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
    rows = [("board", "core", "clock", "flash", "RAM", "framework", "emulator", "")]
    rows += [
        (
            b.name,
            b.core.title,
            f"{b.clock_hz / 1e6:g} MHz" if b.clock_hz else "-",
            kibibytes(b.flash_bytes),
            kibibytes(b.ram_bytes),
            b.framework.value,
            b.runner,
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
        ("framework", board.framework.value),
        ("runner", f"{board.runner} {board.machine}".rstrip()),
        ("compiler flags", " ".join(board.cflags) or "-"),
    ]
    rows += [
        (r.name, f"{r.kind.value} {kibibytes(r.size)} at 0x{r.origin:08x}") for r in board.regions
    ]
    if board.layout:
        rows.append(("stack", f"{board.layout.stack_bytes:,} bytes reserved"))
    if board.uart:
        rows.append(("serial", f"{board.uart.driver} at {board.uart.baud} baud"))
    return table(rows, clip=False)


def kibibytes(size: int | None) -> str:
    """``size`` bytes, short."""
    return "-" if size is None else f"{size / 1024:g}K"


def doctor_table(found: Sequence[Check]) -> list[str]:
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
