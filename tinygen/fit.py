"""Whether a program can fit a board at all, known before anything is compiled.

Only the linker knows the size of the code; what the model alone needs is known here.
"""

from tinygen.board import Board, MemoryKind
from tinygen.emit import Program
from tinygen.errors import BudgetError


def check_fits(program: Program, board: Board) -> None:
    """Check arena and weights against the board. Raises BudgetError with the bytes missing."""
    layout = board.layout
    if layout is None:
        return
    reserved = layout.stack_bytes if layout.arena == layout.data else 0
    room = layout.arena.size - reserved
    arena = program.memory.arena_bytes
    if arena > room:
        stack = f" beside a stack of {reserved:,}" if reserved else ""
        raise BudgetError(
            f"the model does not fit {board.name}: its arena needs {arena:,} bytes of RAM, "
            f"{arena - room:,} more than the {room:,} that the board has{stack}\n"
            f"  {program.memory.peak.describe(program.steps)}",
            "`tinygen boards` lists boards with more RAM",
        )
    flash = layout.limit(MemoryKind.FLASH)
    if program.constant_bytes > flash:
        raise BudgetError(
            f"the model does not fit {board.name}: its weights need {program.constant_bytes:,} "
            f"bytes of flash, {program.constant_bytes - flash:,} more than the board's {flash:,}",
            "`tinygen boards` lists boards with more flash",
        )
