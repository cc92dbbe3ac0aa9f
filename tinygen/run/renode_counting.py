"""Instructions per inference and per layer, of firmware that runs in Renode.

Renode counts what a core executes; waiting for the next request is part of it. So its count is read
at the addresses where the model's invoke function, its layers and the measuring hooks begin, and
where they return to. What lies between counts for the innermost of them, as it does in QEMU:

    hooks = prepare_hooks(elf, layout, work_dir, core)   # before Renode starts
    ... run with hooks.commands ...
    counts = collect_hooks(hooks, inferences)

A hook of Renode's is a line of Python that runs before the instruction at its address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tinygen.board.cores import Core
from tinygen.errors import DeviceError
from tinygen.run.counting import Counts, LayerCounts
from tinygen.run.counting_regions import CodeLayout, function_ranges, regions_of, return_sites
from tinygen.timing import read_image

HOOKS = "Renode"

_DISPATCH = 0


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where to read the count, and what it belongs to.

    ``regions`` has the region of each function by its address: 0 is the invoke function at
    ``entry``, 1 + i is layer i, a negative one does not count. ``returns`` has the addresses that
    each of them returns to.
    """

    entry: int
    regions: Mapping[int, int]
    returns: Mapping[int, frozenset[int]]
    layers: int
    output: Path

    @property
    def commands(self) -> tuple[str, ...]:
        """What the monitor is told before the machine starts."""
        addresses = sorted({*self.regions, *(a for sites in self.returns.values() for a in sites)})
        name = "".join(f"\\u{ord(c):04x}" for c in str(self.output.absolute()))
        return tuple(
            f"sysbus.cpu AddHook 0x{address:x} "
            f"\"System.IO.File.AppendAllText(u'{name}', "
            f"'{address:x} ' + str(self.ExecutedInstructions) + ';')\""
            for address in addresses
        )


@dataclass(frozen=True, slots=True)
class Passed:
    """An address that was reached, when ``executed`` instructions had been executed."""

    address: int
    executed: int


def prepare_hooks(elf: Path, layout: CodeLayout, work_dir: Path, core: Core) -> Hooks:
    """Find out where to count. Raises DeviceError if the image has no invoke function."""
    functions, image = function_ranges(elf), read_image(elf, core)
    regions = regions_of(functions, image, layout)
    starts = {start: region for (start, _), region in regions.ranges.items()}
    returns = {start: frozenset(return_sites(functions, image, start)) for start in starts}
    # What nothing calls directly would be seen to begin, and never to end.
    known = {start: region for start, region in starts.items() if returns[start]}
    output = work_dir / "renode_counts.txt"
    output.unlink(missing_ok=True)
    return Hooks(
        entry=regions.entry,
        regions=known,
        returns={start: returns[start] for start in known},
        layers=len(layout.layers),
        output=output,
    )


def collect_hooks(hooks: Hooks, inferences: int) -> Counts | None:
    """The run's figures; None if this Renode runs no hooks.

    Raises DeviceError if another number of inferences was counted than ``inferences``.
    """
    if not hooks.output.is_file():
        return None
    passed = parse_passed(hooks.output.read_text(encoding="ascii"))
    counted = spent_per_inference(hooks, passed)
    if len(counted) != inferences:
        raise DeviceError(f"{len(counted)} inferences were counted, not the {inferences} that ran")
    known = set(hooks.regions.values())
    totals = [sum(spent.values()) for spent in counted]

    def mean(region: int) -> LayerCounts:
        if region not in known:
            return LayerCounts(None, None)
        return LayerCounts(round(sum(c.get(region, 0) for c in counted) / len(counted)), None)

    return Counts(
        method=HOOKS,
        inferences=len(counted),
        instructions=round(sum(totals) / len(totals)),
        fewest=min(totals),
        most=max(totals),
        cycles=None,
        layers=tuple(mean(1 + i) for i in range(hooks.layers)),
    )


def parse_passed(text: str) -> list[Passed]:
    """What the hooks wrote. Raises DeviceError if it is cut short."""
    *entries, rest = text.split(";")
    if rest.strip():
        raise DeviceError("Renode's instruction counts are cut short")
    fields = (entry.split() for entry in entries)
    return [Passed(int(address, 16), int(executed)) for address, executed in fields]


def spent_per_inference(hooks: Hooks, passed: Iterable[Passed]) -> list[dict[int, int]]:
    """Instructions of each region that counts, for each inference that ended."""
    done: list[dict[int, int]] = []
    spent: dict[int, int] = {}
    inside: list[int] = []
    last = 0
    for point in passed:
        if inside:
            region = hooks.regions[inside[-1]]
            spent[region] = spent.get(region, 0) + point.executed - last
        last = point.executed
        # A function that ends with a jump to another returns where that one returns to.
        while inside and point.address in hooks.returns[inside[-1]]:
            inside.pop()
            if not inside:
                done.append({r: n for r, n in spent.items() if r >= _DISPATCH})
        if point.address == hooks.entry and not inside:
            spent, inside = {}, [point.address]
        elif inside and point.address in hooks.regions:
            inside.append(point.address)
    return done
