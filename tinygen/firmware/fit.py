"""Whether a program can fit a board at all, known before anything is compiled.

Only the linker knows the size of the code; what the model alone needs is known here.
"""

from collections.abc import Callable

from tinygen.board import MemoryKind
from tinygen.emit import Program
from tinygen.errors import BudgetError
from tinygen.firmware.target import Target
from tinygen.select import Choice, best, thrifty, unpacked

# What is to be left for code beside the weights: no model measured takes more. A program that packs
# its weights for speed gives way to a smaller one rather than have the linker fail.
CODE_BYTES = 64 * 1024


def fastest_that_fits(compile_with: Callable[[Choice], Program], target: Target) -> Program:
    """The program of the fastest kernels for whose packed weights ``target`` has room.

    Where there is none even for the smallest, that one: ``check_fits`` has the words.
    """
    for choose in (best, thrifty):
        program = compile_with(choose)
        packs = any(step.kernel is not None and step.kernel.packs for step in program.steps)
        if not packs or has_room(program, target):
            return program
    return compile_with(unpacked)


def has_room(program: Program, target: Target) -> bool:
    """Whether arena, weights and a good deal of code fit the board."""
    layout = target.board.layout
    if layout is None:
        return True
    try:
        check_fits(program, target)
    except BudgetError:
        return False
    return program.constant_bytes + CODE_BYTES <= layout.limit(MemoryKind.FLASH)


def check_fits(program: Program, target: Target) -> None:
    """Check arena and weights against the board. Raises BudgetError with the bytes missing."""
    board, region = target.board, target.arena_region
    layout = board.layout
    if layout is None or region is None:
        return
    copied = program.constant_bytes if layout.constants == region else 0
    reserved = copied + (layout.stack_bytes if region == layout.data else 0)
    room = region.size - reserved
    arena = program.memory.arena_bytes
    if arena > room:
        stack = f" beside a stack of {layout.stack_bytes:,}" if reserved > copied else ""
        stack += f" and the weights, which lie in RAM too: {copied:,}" if copied else ""
        raise BudgetError(
            f"the model does not fit {board.name}: its arena needs {arena:,} bytes of RAM, "
            f"{arena - room:,} more than the {max(0, room):,} that the board has{stack}\n"
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
