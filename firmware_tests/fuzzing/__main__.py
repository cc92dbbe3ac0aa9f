"""Look for files that tinygen cannot bear: ``python -m firmware_tests.fuzzing --help``."""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from firmware_tests.fuzzing.campaign import batches, campaign
from firmware_tests.fuzzing.originals import originals


def main(arguments: Sequence[str] | None = None) -> int:
    """Try mutants as the command line says; the exit code is 1 where one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m firmware_tests.fuzzing",
        description="Damage models; see that tinygen ends in success or in one error.",
    )
    parser.add_argument("--seed", type=int, default=0, help="which mutants (default: 0)")
    parser.add_argument("--count", type=int, help="how many mutants")
    parser.add_argument("--minutes", type=float, help="start no more after so many minutes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument(
        "--failures", type=Path, default=Path("build/fuzzing"), help="where failing files go"
    )
    parser.add_argument("--no-corpus", action="store_true", help="leave the shared models out")
    parser.add_argument("--no-ask", action="store_true", help="do not ask the interpreters")
    given = parser.parse_args(arguments)
    if given.count is None and given.minutes is None:
        parser.error("say --count or --minutes")
    seconds = math.inf if given.minutes is None else 60 * given.minutes
    of = originals(corpus=not given.no_corpus)
    tell = partial(print, flush=True)
    tell(f"seed {given.seed}: mutants of {len(of)} models")
    tally = campaign(
        given.seed, batches(given.count), seconds, given.jobs, of, tell, ask=not given.no_ask
    )
    for failure in tally.failures:
        tell(f"{failure.write(given.failures, given.seed)}\n  {failure.reason.splitlines()[0]}")
    tell(f"seed {given.seed}: {tally}")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
