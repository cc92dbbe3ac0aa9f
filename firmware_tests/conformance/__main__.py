"""The command line: draw, ask, run, tell.

python -m firmware_tests.conformance --op CONV_2D --dtype int8 --cases 200
python -m firmware_tests.conformance --minutes 60 --board mps2-an386
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from firmware_tests.conformance import counts
from firmware_tests.conformance.drawing import declared, pairs
from firmware_tests.conformance.plan import Pair, Unit, rounds, run
from firmware_tests.conformance.saving import save
from firmware_tests.conformance.tally import HOST, Tally, details, line
from firmware_tests.golden.corpus import BOARDS
from tinygen.ir import DType

SEED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says; the exit code is 1 where anything differed."""
    given = _parser().parse_args(arguments)
    chosen = [
        (kind, dtype.value)
        for kind, dtype in pairs()
        if (not given.op or kind in given.op) and (not given.dtype or dtype.value in given.dtype)
    ]
    if not chosen:
        print("no operator of the table takes that type", file=sys.stderr)
        return 2
    boards = BOARDS if "all" in given.board else tuple(given.board)
    places = boards or (HOST,)
    if given.missing:
        chosen = counts.missing(chosen, places, given.cases)
    minutes = math.inf if given.minutes is None else given.minutes
    print(f"seeds from {given.seed}; {len(chosen)} pairs of operator and type", flush=True)
    units = rounds(chosen, given.seed, given.cases, boards, given.minutes is not None)
    total = run(
        units, time.monotonic() + 60 * minutes, given.jobs, _tell if given.verbose else _hush
    )
    failed = _report(chosen, total, Path(given.failures))
    if given.write:
        counts.write([(kind, dtype.value) for kind, dtype in declared()], total, places)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m firmware_tests.conformance",
        description="Compare drawn one-operator models with both references, and run them.",
    )
    parser.add_argument("--op", action="append", help="an operator, e.g. CONV_2D (all)")
    parser.add_argument(
        "--dtype", action="append", choices=[d.value for d in DType], help="a type (all)"
    )
    parser.add_argument("--cases", type=int, default=200, help="for each operator and type (200)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"the first seed ({SEED})")
    parser.add_argument("--minutes", type=float, help="go on with new seeds for so long")
    parser.add_argument(
        "--board", action="append", default=[], choices=[*BOARDS, "all"],
        help="run on this emulated board, not on the host",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--failures", default="build/conformance", help="where failing models are written"
    )
    parser.add_argument(
        "--missing", action="store_true", help="only what fewer cases were written down for"
    )
    parser.add_argument("--write", action="store_true", help="write tinygen/conformance.json")
    parser.add_argument("--verbose", action="store_true", help="tell what is done as it is")
    return parser


def _tell(unit: Unit, tallies: Mapping[Pair, Tally]) -> None:
    first, last = unit.names[0], unit.names[-1]
    print(f"... {unit.place}: {first} to {last}", file=sys.stderr, flush=True)
    for tally in tallies.values():
        for found in tally.findings:
            print(f"{found.name} on {found.place}: {found.message}", file=sys.stderr, flush=True)


def _hush(unit: Unit, tallies: Mapping[Pair, Tally]) -> None:
    del unit, tallies


def _report(chosen: Sequence[Pair], total: Mapping[Pair, Tally], failures: Path) -> int:
    """Print what was found, write the models that show it, and return how many findings."""
    everything = Tally()
    for pair in chosen:
        tally = total.get(pair, Tally())
        everything.join(tally)
        print(line(*pair, tally))
        for text in details(tally):
            print(text)
        if tally.findings:
            print(f"    smallest model: {save(tally.findings, failures)}")
    print(line("all", f"{len(chosen)} pairs", everything), flush=True)
    return len(everything.findings)


if __name__ == "__main__":
    sys.exit(main())
