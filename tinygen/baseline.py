"""What other tools take for the same models, from a file, and our figures in proportion to it.

The file is JSON:

    "models":        a short name for each model, to the stem of its file's name
    "instructions":  "<core> <how it was built>" to instructions per inference, by short name
    "published_cycles_<board>":  who published to cycles per inference on that board, by short name

Other keys are for people. Instructions are counted, and compare exactly; published cycles are of a
real board whose memory has wait states, and ours are an estimate without: that ratio is a hint.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygen.board.file import load_board
from tinygen.errors import BoardError, TinygenError
from tinygen.report import TestReport
from tinygen.tables import table

_PUBLISHED = "published_cycles_"
_MOST = 1e15  # more than any inference takes; JSON has infinity, too


class BaselineError(TinygenError):
    """A file of baselines that cannot be read, or is not one."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one other tool takes on one core: ``unit`` by the stem of the model's file name."""

    title: str
    core: str
    unit: str
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Our figure and another's for one model on one board; ``best`` is the least of its unit."""

    baseline: str
    unit: str
    ours: int
    theirs: int
    best: bool

    @property
    def ratio(self) -> float:
        """Ours in proportion to theirs: below one is less work."""
        return self.ours / self.theirs

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        return {
            "baseline": self.baseline,
            "unit": self.unit,
            "ours": self.ours,
            "theirs": self.theirs,
            "ratio": round(self.ratio, 4),
            "best": self.best,
        }


@dataclass(frozen=True, slots=True)
class Baselines:
    """The rows of a file, in its order."""

    rows: tuple[Row, ...]

    def ratios(self, report: TestReport) -> tuple[Ratio, ...]:
        """Every row of instructions for the report's core and model, and the best published cycles.

        Empty where the file has nothing for the model or the core, or nothing was counted.
        """
        cycles = report.estimated_cycles.mid if report.estimated_cycles else None
        return (
            *self._against(report, "instructions", report.instructions),
            *(found for found in self._against(report, "cycles", cycles) if found.best),
        )

    def _against(self, report: TestReport, unit: str, ours: int | None) -> Iterator[Ratio]:
        stem = report.model.removesuffix(".tflite")
        rows = [
            row
            for row in self.rows
            if (row.core, row.unit) == (report.core, unit) and stem in row.figures
        ]
        if ours is None or not rows:
            return
        best = min(rows, key=lambda row: row.figures[stem])
        for row in rows:
            yield Ratio(row.title, unit, ours, round(row.figures[stem]), row is best)


def read_baselines(path: Path) -> Baselines:
    """Read a file of baselines. Raises BaselineError for a file that is not as above."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise BaselineError(f"{path} is not JSON: {error}", _HINT) from None
    try:
        return Baselines(tuple(_rows(values)))
    except (_MalformedError, BoardError) as error:
        raise BaselineError(f"{path} is no file of baselines: {error}", _HINT) from None


_HINT = "docs/counting.md shows what such a file holds"


class _MalformedError(Exception):
    """What is wrong with the file, in words."""


def _rows(values: Any) -> Iterator[Row]:
    top = _object(values, "the file")
    stems = _object(top.get("models"), "'models'")
    for name, stem in stems.items():
        if not isinstance(stem, str):
            raise _MalformedError(f"'models' has no file name for '{name}'")
    if "instructions" not in top:
        raise _MalformedError("it has no 'instructions'")
    for title, figures in _object(top["instructions"], "'instructions'").items():
        core = title.split(" ", maxsplit=1)[0]
        yield Row(title, core, "instructions", _figures(figures, title, stems))
    for key, published in top.items():
        if key.startswith(_PUBLISHED):
            core = load_board(key.removeprefix(_PUBLISHED)).core.name
            for title, figures in _object(published, f"'{key}'").items():
                yield Row(title, core, "cycles", _figures(figures, title, stems))


def _figures(values: Any, title: str, stems: dict[str, str]) -> dict[str, float]:
    figures = {}
    for name, value in _object(values, f"'{title}'").items():
        if name not in stems:
            raise _MalformedError(f"'{title}' has '{name}', which 'models' does not")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 1 <= value < _MOST:
            raise _MalformedError(f"'{title}' has {value!r} for '{name}', not a positive number")
        figures[stems[name]] = value
    return figures


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _MalformedError(f"{what} is not an object")
    return value


def ratio_lines(reports: Sequence[TestReport], baselines: Baselines) -> list[str]:
    """An aligned table of all ratios; the best of each unit is marked."""
    rows = [("model", "board", "against", "", "theirs", "ours", "ours/theirs", "")]
    for report in reports:
        stem = report.model.removesuffix(".tflite")
        rows += [
            (
                stem, report.board, found.baseline, found.unit, f"{found.theirs:,}",
                f"{found.ours:,}", f"{found.ratio:.2f}", "best" if found.best else "",
            )
            for found in baselines.ratios(report)
        ]  # fmt: skip
    if len(rows) == 1:
        return ["no baseline is of these models on these cores"]
    return table(rows, right=(4, 5, 6))
