"""Which kernels a board has room for, and whether a program can fit it at all.

Only the linker knows the size of the code; what the model alone needs is known here, and the code
is estimated with a margin, so that a program that packs its weights gives way to a smaller one
rather than have the linker fail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tinygen.board import MemoryKind
from tinygen.emit import Program
from tinygen.errors import BudgetError
from tinygen.firmware.target import Target
from tinygen.frugal import frugal
from tinygen.ir import Graph
from tinygen.optimize import Optimize
from tinygen.select import best
from tinygen.step import Step
from tinygen.tune.choose import (
    Candidate,
    Chosen,
    CyclesOf,
    Exchange,
    Layer,
    balanced,
    cheapest_exchange,
    chosen_by,
    exchanged,
    functions_of,
    layers_of,
)
from tinygen.tune.cost import code_bytes, estimated_cycles
from tinygen.tune.file import Tuning, chosen_rows

# What the firmware around the model takes, and the margin of the estimate of the model's code. With
# both, no model measured takes more on Cortex-M4, M3 and RISC-V.
FIRMWARE_BYTES, FRAMEWORK_BYTES = 8 * 1024, 64 * 1024
CODE_MARGIN = 1.25

Assemble = Callable[[Sequence[Step]], Program]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A program and how its kernels were chosen among the candidates of ``layers``.

    ``wanted`` are the candidates that memory without end would have, and ``short`` is the memory
    for whose sake others were ``chosen``, "" for none. ``missing`` are the bytes of flash that are
    too few all the same, as far as code can be estimated; negative is room.
    """

    program: Program
    layers: tuple[Layer, ...]
    chosen: Chosen
    wanted: Chosen
    short: str = ""
    missing: int = 0

    @property
    def given_up(self) -> tuple[int, ...]:
        """The layers that do not have the candidate that was wanted, by their index."""
        pairs = zip(self.wanted, self.chosen, strict=True)
        return tuple(index for index, (old, new) in enumerate(pairs) if old != new)


def fit(
    assemble: Assemble,
    graph: Graph,
    target: Target,
    optimize: Optimize,
    cycles_of: CyclesOf = estimated_cycles,
) -> Fitted:
    """The program of ``graph`` by the best kernels that ``target`` has room for.

    Kernels are given up one after the other, always the one that costs the fewest cycles for each
    byte of the memory that is short. The last may save more than was missing: then layers take back
    what fits, who lost the most cycles first. Where there is no room even with the smallest kernels
    ``check_fits`` or the linker has the words.
    """
    isa = target.board.core.isa
    layers = layers_of(graph, isa, optimize, cycles_of)
    wanted = chosen_by(layers, frugal(graph) if optimize is Optimize.SIZE else best)
    if optimize is Optimize.BALANCED:
        wanted = balanced(layers, layers_of(graph, isa, Optimize.SIZE, cycles_of))

    def trial(chosen: Chosen) -> Fitted:
        program = assemble([x.step(n) for x, n in zip(layers, chosen, strict=True)])
        missing = flash_missing(program, target, code_estimate(layers, chosen, optimize))
        return Fitted(program, layers, chosen, wanted, missing=missing)

    fitted, short = trial(wanted), ""
    while True:
        offer = None
        if fitted.missing > 0:
            # For size kernels share their functions: another kernel is no less code.
            saved = _weights_saved if optimize is Optimize.SIZE else _bytes_saved
            short, offer = short or "flash", cheapest_exchange(layers, fitted.chosen, saved)
        if offer is None and arena_missing(fitted.program, target) > 0:
            short, offer = short or "RAM", _smaller_arena(fitted, target)
        if offer is None:
            break
        fitted = trial(exchanged(fitted.chosen, offer))
    if _has_room(fitted, target):
        for index in _dearest(fitted):
            for number in range(wanted[index], fitted.chosen[index]):
                better = trial((*fitted.chosen[:index], number, *fitted.chosen[index + 1 :]))
                if _has_room(better, target):
                    fitted = better
                    break
    return replace(fitted, short=short if fitted.given_up else "")


def _dearest(fitted: Fitted) -> list[int]:
    """The layers that gave something up, who lost the most cycles first."""

    def lost(index: int) -> int:
        found = fitted.layers[index].candidates
        return found[fitted.chosen[index]].cycles - found[fitted.wanted[index]].cycles

    return sorted(fitted.given_up, key=lambda index: (-lost(index), index))


def _has_room(fitted: Fitted, target: Target) -> bool:
    return fitted.missing <= 0 and arena_missing(fitted.program, target) <= 0


def tuned(
    assemble: Assemble, graph: Graph, target: Target, optimize: Optimize, tuning: Tuning
) -> Fitted:
    """The program of ``graph`` by the kernels that ``tuning`` names, whatever memory there is.

    Raises TuningError where the file has other layers or kernels than the graph.
    """
    layers = layers_of(graph, target.board.core.isa, optimize)
    coded = [layer for layer in layers if layer.candidates]
    numbers = iter(
        chosen_rows(tuning, [(x.op.kind, [c.row.label for c in x.candidates]) for x in coded])
    )
    chosen = tuple(next(numbers) if layer.candidates else 0 for layer in layers)
    program = assemble([x.step(n) for x, n in zip(layers, chosen, strict=True)])
    return Fitted(program, layers, chosen, chosen)


def _smaller_arena(fitted: Fitted, target: Target) -> Exchange | None:
    """The exchange that takes scratch from the step that needs the most, or weights from RAM."""
    program, layers, chosen = fitted.program, fitted.layers, fitted.chosen
    step = program.memory.peak.step
    at_peak = [step] if 0 <= step < len(layers) else []
    offer = cheapest_exchange(
        layers, chosen, lambda old, new: old.scratch_bytes - new.scratch_bytes, at_peak
    )
    if offer is None and _copied(program, target):
        offer = cheapest_exchange(layers, chosen, _weights_saved)
    return offer


def _bytes_saved(old: Candidate, new: Candidate) -> int:
    return old.bytes - new.bytes


def _weights_saved(old: Candidate, new: Candidate) -> int:
    return old.weights - new.weights


def code_estimate(layers: Sequence[Layer], chosen: Chosen, optimize: Optimize) -> int:
    """About what the chosen kernels' functions take, in bytes."""
    taken = [x.candidates[n] for x, n in zip(layers, chosen, strict=True) if x.candidates]
    return sum(
        {key: code_bytes(c.op, c.row) for c in taken for key in functions_of(c, optimize)}.values()
    )


def flash_missing(program: Program, target: Target, code: int) -> int:
    """Bytes of flash too many, if ``code`` is about what the model's code takes."""
    layout = target.board.layout
    if layout is None:
        return 0
    firmware = FRAMEWORK_BYTES if target.from_framework else FIRMWARE_BYTES
    needed = program.constant_bytes + round(CODE_MARGIN * code) + firmware
    return needed - layout.limit(MemoryKind.FLASH)


def arena_missing(program: Program, target: Target) -> int:
    """Bytes of RAM too many for the arena and what lies beside it."""
    region = target.arena_region
    return 0 if region is None else program.memory.arena_bytes - arena_room(program, target)


def arena_room(program: Program, target: Target) -> int:
    """Bytes that the board has for the arena; there must be one."""
    layout, region = target.board.layout, target.arena_region
    assert layout is not None and region is not None
    stack = layout.stack_bytes if region == layout.data else 0
    return region.size - _copied(program, target) - stack


def _copied(program: Program, target: Target) -> int:
    """Bytes of constants that lie in the arena's region, where a framework puts them there."""
    layout = target.board.layout
    same = layout is not None and layout.constants == target.arena_region
    return program.constant_bytes if same else 0


def check_fits(program: Program, target: Target) -> None:
    """Check arena and weights against the board. Raises BudgetError with the bytes missing."""
    board, region = target.board, target.arena_region
    layout = board.layout
    if layout is None or region is None:
        return
    missing = arena_missing(program, target)
    if missing > 0:
        copied = _copied(program, target)
        on_stack = region == layout.data
        stack = f" beside a stack of {layout.stack_bytes:,}" if on_stack else ""
        stack += f" and the weights, which lie in RAM too: {copied:,}" if copied else ""
        raise BudgetError(
            f"the model does not fit {board.name}: its arena needs "
            f"{program.memory.arena_bytes:,} bytes of RAM, {missing:,} more than the "
            f"{max(0, arena_room(program, target)):,} that the board has{stack}\n"
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
