"""The counts that ``tinygen ops`` tells: written by a run, for the package to hold."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from firmware_tests.conformance.plan import Pair
from firmware_tests.conformance.tally import Tally
from tinygen.conformance import Counts, load_counts

FILE = Path(__file__).parents[2] / "tinygen" / "conformance.json"


def merged(
    pairs: Sequence[Pair], total: Mapping[Pair, Tally], before: Counts, places: Sequence[str]
) -> dict[str, dict[str, dict[str, int]]]:
    """What is to be written: this run's counts where it ran, else those of an earlier run."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for kind, dtype in sorted(pairs):
        counted = dict(before.get(kind, {}).get(dtype, {}))
        tally = total.get((kind, dtype))
        if tally is not None:
            counted |= {place: tally.ran[place] for place in places if tally.ran[place]}
        found.setdefault(kind, {})[dtype] = dict(sorted(counted.items()))
    return found


def missing(pairs: Sequence[Pair], places: Sequence[str], cases: int) -> list[Pair]:
    """Those of ``pairs`` that fewer than ``cases`` were counted for at any of ``places``."""
    before = load_counts()

    def counted(pair: Pair) -> int:
        at = before.get(pair[0], {}).get(pair[1], {})
        return min(at.get(place, 0) for place in places)

    return [pair for pair in pairs if counted(pair) < cases]


def write(pairs: Sequence[Pair], total: Mapping[Pair, Tally], places: Sequence[str]) -> None:
    """Write the file: one line for each operator and type."""
    found = merged(pairs, total, load_counts() if FILE.exists() else {}, places)
    kinds = []
    for kind, dtypes in found.items():
        rows = [f'    "{dtype}": {json.dumps(counted)}' for dtype, counted in dtypes.items()]
        kinds.append(f'  "{kind}": {{\n' + ",\n".join(rows) + "\n  }")
    FILE.write_text("{\n" + ",\n".join(kinds) + "\n}\n", encoding="utf-8")
