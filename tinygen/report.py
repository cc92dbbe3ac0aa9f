"""What `tinygen test` and `tinygen bench` found, as values, as JSON and as text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinygen.run.measured import Measured
from tinygen.tables import table
from tinygen.timing import Cycles
from tinygen.tune.report import ChoiceReport


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer of one inference; counts are None where the runner cannot count.

    ``kernel`` is the row that computes it, as ``Kernel.label`` has it.
    """

    name: str
    op: str
    macs: int
    instructions: int | None
    estimated_cycles: Cycles | None
    measured_ticks: int | None = None
    kernel: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first layer whose output is not the oracle's."""

    vector: int
    layer: int
    name: str
    op: str


@dataclass(frozen=True, slots=True)
class TestReport:
    """The result of one model on one board.

    Instructions and cycles are those of one inference: the mean over the vectors, rounded.
    ``oracles`` tells what the outputs were compared with. ``mismatched_bytes`` are those of values
    beyond ``tolerance``; ``within_tolerance`` counts those that differ less. ``macs`` are those of
    the simplified model that runs, ``model_macs`` those of the file. ``measured`` is what hardware
    took, by its own timer.
    """

    __test__ = False  # not a test, whatever pytest thinks of its name

    model: str
    sha256: str
    board: str
    core: str
    runner: str
    framework: str
    numerics: str
    optimize: str
    vectors: int
    oracles: tuple[str, ...]
    mismatched_bytes: int
    max_abs_diff: float
    first_difference: Difference | None
    macs: int
    model_macs: int
    counted_by: str | None
    instructions: int | None
    estimated_cycles: Cycles | None
    measured: Measured | None
    layers: tuple[LayerReport, ...]
    flash_bytes: dict[str, int]
    ram_bytes: dict[str, int]
    choice: ChoiceReport | None = None
    within_tolerance: int = 0
    tolerance: str = "exact"

    @property
    def passed(self) -> bool:
        """Whether all outputs of all vectors agreed: to the bit, or float32 within tolerance."""
        return self.mismatched_bytes == 0

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        return {"passed": self.passed, **asdict(self)}

    def to_text(self) -> str:
        """The report as a person reads it."""
        lines = [
            f"{self.model} on {self.board} ({self.core}, {self.runner})",
            "",
            *layer_table(self.layers, self.instructions, self.estimated_cycles, self.measured),
            "",
            _sizes("flash", self.flash_bytes),
            _sizes("RAM  ", self.ram_bytes),
        ]
        if self.choice is not None:
            lines += self.choice.to_text()
        if self.macs != self.model_macs:
            lines.append(f"MACs    {self.macs:,}, simplified from the file's {self.model_macs:,}")
        if self.estimated_cycles is not None:
            band = self.estimated_cycles
            lines.append(
                f"cycles  {band.mid:,} estimated ({band.low:,} to {band.high:,}), "
                f"zero wait states; instructions counted by {self.counted_by}"
            )
        elif self.counted_by is not None:
            lines.append(f"cycles  not estimated; instructions counted by {self.counted_by}")
        if self.measured is not None:
            lines.append(_time(self.measured))
        lines += ["", self.verdict()]
        return "\n".join(lines)

    def verdict(self) -> str:
        """One line, or two on a mismatch or where a tolerance was needed."""
        against = " and ".join(self.oracles)
        if self.passed:
            text = f"PASS  {_vectors(self.vectors)}, 0 mismatched bytes against {against}"
            if self.within_tolerance:
                text += (
                    f"\n      {self.within_tolerance} float32 values differ within the tolerance "
                    f"({self.tolerance}), by {self.max_abs_diff:g} at most"
                )
            return text
        text = (
            f"FAIL  {_vectors(self.vectors)}, {self.mismatched_bytes} mismatched bytes against "
            f"{against}, largest difference {self.max_abs_diff:g}"
        )
        if self.first_difference is not None:
            found = self.first_difference
            text += (
                f"\n      first differing layer: {found.layer} ({found.op} '{found.name}'), "
                f"vector {found.vector}"
            )
        else:
            text += "\n      every layer's output equals the numpy reference's: suspect the vectors"
        return text


def _time(measured: Measured) -> str:
    return (
        f"time    {1000 * measured.seconds:,.3f} ms: {measured.ticks:,} ticks of the "
        f"{measured.method} at {measured.timer_hz / 1e6:g} MHz "
        f"({measured.fewest:,} to {measured.most:,})"
    )


def _vectors(count: int) -> str:
    return "1 vector" if count == 1 else f"{count} vectors"


def _sizes(title: str, sizes: dict[str, int]) -> str:
    parts = ", ".join(f"{k} {v:,}" for k, v in sizes.items() if k not in ("total", "limit"))
    limit = (
        f" of {sizes['limit']:,} ({sizes['total'] / sizes['limit']:.1%})"
        if "limit" in sizes
        else ""
    )
    return f"{title}   {sizes['total']:,} bytes{limit}: {parts}"


def layer_table(
    layers: Sequence[LayerReport],
    total: int | None,
    cycles: Cycles | None,
    measured: Measured | None = None,
) -> list[str]:
    """Aligned columns, one line a layer and one for the sum. Ticks are shown instead of counts."""
    macs = sum(r.macs for r in layers)
    if measured is not None:
        rows = [("layer", "operator", "MACs", "ticks", "", "name")]
        rows += [
            (str(i), r.op, _count(r.macs), _count(r.measured_ticks), "", r.name)
            for i, r in enumerate(layers)
        ]
        rows.append(("", "total", _count(macs), _count(measured.ticks), "", ""))
        return table(rows, right=(2, 3))
    rows = [("layer", "operator", "MACs", "instructions", "est. cycles", "name")]
    rows += [
        (
            str(i),
            r.op,
            _count(r.macs),
            _count(r.instructions),
            _count(_mid(r.estimated_cycles)),
            r.name,
        )
        for i, r in enumerate(layers)
    ]
    rows.append(("", "total", _count(macs), _count(total), _count(_mid(cycles)), ""))
    return table(rows, right=(2, 3, 4))


def _mid(cycles: Cycles | None) -> int | None:
    return None if cycles is None else cycles.mid


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def bench_table(reports: Sequence[TestReport]) -> list[str]:
    """One line per model, as Markdown."""
    head = (
        "model",
        "board",
        "MACs",
        "instructions",
        "per MAC",
        "est. cycles (low to high)",
        "flash",
        "weights",
        "RAM",
        "arena",
        "mismatched bytes",
    )
    rows = [head, *(_bench_row(r) for r in reports)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "| " + " | ".join(c.ljust(widths[i]) for i, c in enumerate(row)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return lines


def _bench_row(report: TestReport) -> tuple[str, ...]:
    band = report.estimated_cycles
    per_mac = (
        f"{report.instructions / report.macs:.2f}"
        if report.instructions is not None and report.macs
        else "-"
    )
    return (
        report.model.removesuffix(".tflite"),
        report.board,
        f"{report.macs:,}",
        _count(report.instructions),
        per_mac,
        f"{band.mid:,} ({band.low:,} to {band.high:,})" if band else "-",
        f"{report.flash_bytes['total']:,}",
        f"{report.flash_bytes['weights']:,}",
        f"{report.ram_bytes['total']:,}",
        f"{report.ram_bytes['arena']:,}",
        str(report.mismatched_bytes),
    )


def choice_table(reports: Sequence[TestReport]) -> list[str]:
    """How the kernels of each model were chosen, and the flash beyond --optimize size; empty where
    there is nothing to compare."""
    head = ("model", "board", "kernels", "given up", "weights beside size", "code beside size")
    rows = [head]
    for report in reports:
        choice = report.choice
        if choice is not None and choice.beside_size is not None:
            more = choice.beside_size
            rows.append(
                (
                    report.model.removesuffix(".tflite"), report.board, choice.asked,
                    f"{len(choice.given_up)} for {choice.short}" if choice.short else "-",
                    f"{more.weights:+,}", "-" if more.code is None else f"{more.code:+,}",
                )
            )  # fmt: skip
    return table(rows, right=(4, 5)) if len(rows) > 1 else []
