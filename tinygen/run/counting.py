"""Instructions per inference and per layer, of firmware that runs in QEMU.

The counting plugin writes how often each block of code ran, attributed to regions by the addresses
of the ELF's symbols: the model's invoke function is the dispatch, each layer function a layer, and
what they call (kernels, memcpy, libgcc) counts for the layer that called it. So

    counter = prepare(elf, layout, work_dir, core)     # before QEMU starts
    ... run QEMU with counter.arguments, let it exit ...
    counts = collect(counter)                          # after it has ended

gives exact, repeatable numbers. Where the plugin cannot be had, ``prepare`` falls back to QEMU's
instruction clock, and ``counts_from_ticks`` turns the firmware's own timer readings into counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygen.board.cores import Core
from tinygen.errors import DeviceError, ToolError
from tinygen.run.counting_regions import CodeLayout, function_ranges, regions_of
from tinygen.run.plugin import plugin_library
from tinygen.timing import Block, Cycles, core_timing, estimate, read_image

__all__ = [
    "ICOUNT",
    "PLUGIN",
    "BlockCounts",
    "CodeLayout",
    "Counter",
    "Counts",
    "LayerCounts",
    "collect",
    "counts_from_ticks",
    "icount_arguments",
    "instructions_of",
    "parse_counts",
    "per_inference",
    "prepare",
    "read_counts",
    "ticks_to_instructions",
]

PLUGIN = "plugin"
ICOUNT = "icount"

# -icount shift=N: one instruction advances the virtual clock by 2^N nanoseconds.
ICOUNT_SHIFT = 0


@dataclass(frozen=True, slots=True)
class Counter:
    """How QEMU is to be started, and where its counts will be.

    ``method`` is PLUGIN or ICOUNT; ``reason`` tells why it is not PLUGIN, and is empty if it is.
    ``present`` tells for each layer whether the image has a function of its own for it.
    """

    method: str
    arguments: tuple[str, ...]
    elf: Path
    core: Core
    output: Path
    present: tuple[bool, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """The blocks that all inferences of one run executed, as the plugin wrote them.

    ``regions[0]`` is the dispatch, ``regions[1 + i]`` layer i. ``fewest`` and ``most`` are the
    instructions of single inferences.
    """

    inferences: int
    fewest: int
    most: int
    regions: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class LayerCounts:
    """One layer of one inference; None is what is not known."""

    instructions: int | None
    cycles: Cycles | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions and estimated cycles of one inference: the mean of all, rounded.

    ``method`` is PLUGIN, ICOUNT or Renode's HOOKS; cycles are estimated from the plugin's blocks,
    so they are None with the others, and for a core without a timing table. A layer's figures are
    None if the image has no function of its own for it. What the invoke function itself executes is
    in ``instructions`` but in no layer.
    """

    method: str
    inferences: int
    instructions: int
    fewest: int
    most: int
    cycles: Cycles | None
    layers: tuple[LayerCounts, ...]


def prepare(elf: Path, layout: CodeLayout, work_dir: Path, core: Core) -> Counter:
    """Write the plugin's regions file to ``work_dir`` and return QEMU's extra arguments.

    Raises DeviceError if the image has no invoke function. A plugin that cannot be built is not an
    error: the counter's method is then ICOUNT.
    """
    regions = regions_of(function_ranges(elf), read_image(elf, core), layout)
    known = set(regions.ranges.values())
    present = tuple(1 + i in known for i in range(len(layout.layers)))
    output = work_dir / "counts.txt"
    output.unlink(missing_ok=True)
    try:
        library = plugin_library(core.qemu, spare=work_dir)
    except ToolError as error:
        return Counter(ICOUNT, icount_arguments(), elf, core, output, present, error.message)
    regions_file = work_dir / "regions.txt"
    regions_file.write_text(regions.text(), encoding="ascii")
    options = (f"file={library}", f"regions={regions_file}", f"out={output}")
    plugin = ",".join(o.replace(",", ",,") for o in options)
    return Counter(PLUGIN, ("-plugin", plugin), elf, core, output, present)


def collect(counter: Counter) -> Counts:
    """The run's figures. QEMU must have ended, and not by SIGKILL.

    Raises DeviceError where the counts are missing or cut short, or if no inference ran.
    """
    return per_inference(read_counts(counter), counter)


def read_counts(counter: Counter) -> BlockCounts:
    """Read what the plugin wrote. Raises DeviceError where it is missing or cut short."""
    try:
        text = counter.output.read_text(encoding="ascii")
    except OSError as error:
        raise DeviceError(
            f"the emulator left no instruction counts: {error}",
            "it was killed, or stopped before the firmware ran",
        ) from error
    return parse_counts(text, 1 + len(counter.present))


def parse_counts(text: str, n_regions: int) -> BlockCounts:
    """The plugin's output as values."""
    lines = text.splitlines()
    if not lines or lines[-1] != "end":
        raise DeviceError("the emulator's instruction counts are cut short")
    _, inferences, fewest, most = lines[0].split()
    regions: list[list[Block]] = [[] for _ in range(n_regions)]
    for line in lines[1:-1]:
        _, region, address, size, instructions, executions, taken = line.split()
        regions[int(region)].append(
            Block(int(address, 16), int(size), int(instructions), int(executions), int(taken))
        )
    ordered = tuple(tuple(sorted(r, key=lambda b: (b.address, b.size))) for r in regions)
    return BlockCounts(int(inferences), int(fewest), int(most), ordered)


def per_inference(counts: BlockCounts, counter: Counter) -> Counts:
    """Means of ``counts``, with cycles estimated where there is a table for the counter's core."""
    n = counts.inferences
    if n == 0:
        raise DeviceError("no inference ran while instructions were counted")
    rows = [(instructions_of(r), *_estimate(r, counter)) for r in counts.regions]

    def mean(row: Sequence[int]) -> LayerCounts:
        instructions, *cycles = (round(x / n) for x in row)
        return LayerCounts(instructions, Cycles(*cycles) if cycles else None)

    total = mean([sum(column) for column in zip(*rows, strict=True)])
    assert total.instructions is not None
    return Counts(
        method=PLUGIN,
        inferences=n,
        instructions=total.instructions,
        fewest=counts.fewest,
        most=counts.most,
        cycles=total.cycles,
        layers=tuple(
            mean(row) if present else LayerCounts(None, None)
            for present, row in zip(counter.present, rows[1:], strict=True)
        ),
    )


def _estimate(blocks: Sequence[Block], counter: Counter) -> tuple[int, ...]:
    """Cycles as the core's three tables have them; nothing where there is no table."""
    core = counter.core
    if not core.timing:
        return ()
    return estimate(read_image(counter.elf, core), core_timing(core.timing).models, blocks)


def instructions_of(blocks: Sequence[Block]) -> int:
    """How many instructions ``blocks`` executed in all."""
    return sum(b.executions * b.instructions for b in blocks)


def icount_arguments() -> tuple[str, ...]:
    """QEMU's arguments that tie its clock to the instructions executed."""
    return ("-icount", f"shift={ICOUNT_SHIFT}")


def ticks_to_instructions(ticks: int, timer_hz: int) -> int:
    """Instructions in ``ticks`` of a timer that runs at ``timer_hz``, under ``icount_arguments``.

    The last tick may be a fraction: the error is below ``1e9 / timer_hz / 2**ICOUNT_SHIFT``.
    """
    return round(ticks * 1_000_000_000 / (timer_hz << ICOUNT_SHIFT))


def counts_from_ticks(
    inference_ticks: Sequence[int], layer_ticks: Sequence[Sequence[int]], timer_hz: int
) -> Counts:
    """Counts from the firmware's timer, for runs without the plugin.

    ``inference_ticks`` has the duration of each inference, ``layer_ticks[i]`` those of each
    inference's layer i; an empty sequence stands for a layer that was not timed.
    """
    if not inference_ticks:
        raise DeviceError("no inference was timed")

    def mean(ticks: Sequence[int]) -> int:
        return round(ticks_to_instructions(sum(ticks), timer_hz) / len(ticks))

    return Counts(
        method=ICOUNT,
        inferences=len(inference_ticks),
        instructions=mean(inference_ticks),
        fewest=ticks_to_instructions(min(inference_ticks), timer_hz),
        most=ticks_to_instructions(max(inference_ticks), timer_hz),
        cycles=None,
        layers=tuple(LayerCounts(mean(ticks) if ticks else None, None) for ticks in layer_ticks),
    )
