"""Many mutants, in worker processes that a mutant may kill."""

import multiprocessing
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from firmware_tests.fuzzing.execution import Executions
from firmware_tests.fuzzing.limits import OutOfTime
from firmware_tests.fuzzing.mutants import Mutant, mutant
from firmware_tests.fuzzing.originals import Original
from firmware_tests.fuzzing.trial import accepts, choice_of

_FORK = multiprocessing.get_context("fork")
# So many mutants go to a worker at a time; those that it accepts share one executable.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """A mutant with which tinygen did what it must not."""

    mutant: Mutant
    reason: str

    def write(self, directory: Path, seed: int) -> Path:
        """Keep the file, and beside it why and how it is compiled."""
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / f"seed{seed}_{self.mutant.number}.tflite"
        file.write_bytes(self.mutant.data)
        choice = choice_of(self.mutant.number)
        file.with_suffix(".txt").write_text(f"{self.mutant}\n{choice}\n\n{self.reason}\n")
        return file


@dataclass(slots=True)
class Tally:
    """What came of the mutants so far.

    ``executed`` counts distinct programs that ran, ``compared`` those of them for which an
    interpreter gave numbers.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def __str__(self) -> str:
        words = ("accepted", "refused", "executed", "compared", "failed")
        return f"{self.tried} mutants tried: " + ", ".join(f"{self.counts[w]} {w}" for w in words)

    @property
    def tried(self) -> int:
        """How many mutants were looked at."""
        return self.counts["accepted"] + self.counts["refused"] + self.counts["failed"]


Report = tuple[Counter[str], list[tuple[int, str]]]


class _Worker:
    """A process that takes numbers of mutants and reports what came of them."""

    def __init__(self, seed: int, of: tuple[Original, ...], *, ask: bool) -> None:
        self.seed, self.of, self.ask = seed, of, ask
        self._start()

    def _start(self) -> None:
        self.connection, theirs = _FORK.Pipe()
        self.current = multiprocessing.RawValue("q", -1)
        arguments = (theirs, self.seed, self.of, self.current, self.ask)
        self.process: ForkProcess = _FORK.Process(target=_work, args=arguments, daemon=False)
        self.process.start()
        theirs.close()

    def give(self, numbers: range) -> None:
        self.numbers = numbers
        self.connection.send(numbers)

    def result(self) -> tuple[Report, range]:
        """What came of the numbers, and those that are left as one of them killed the process."""
        try:
            report: Report = self.connection.recv()
            return report, range(0)
        except EOFError:
            self.process.join()
            guilty = int(self.current.value)
            reason = f"the process died with exit code {self.process.exitcode}"
            self.connection.close()
            self._start()
            return (Counter(failed=1), [(guilty, reason)]), range(guilty + 1, self.numbers.stop)

    def end(self) -> None:
        # A later worker has inherited our end of the pipe: closing it would tell this one nothing.
        self.connection.send(range(0))
        self.process.join()
        self.connection.close()


def campaign(
    seed: int,
    numbers: Iterator[range],
    seconds: float,
    jobs: int,
    of: tuple[Original, ...],
    tell: Callable[[str], None],
    *,
    ask: bool = True,
) -> Tally:
    """Try the mutants of ``seed`` in ``numbers`` until they or the time end.

    With ``ask``, the interpreters say what comes out of those that tinygen accepts.
    """
    tally, deadline = Tally(), time.monotonic() + seconds
    workers = [_Worker(seed, of, ask=ask) for _ in range(jobs)]
    left: list[range] = []
    busy: dict[Connection, _Worker] = {}

    def employ(worker: _Worker) -> None:
        chosen = left.pop() if left else next(numbers, range(0))
        if chosen and time.monotonic() < deadline:
            worker.give(chosen)
            busy[worker.connection] = worker

    for worker in workers:
        employ(worker)
    while busy:
        for ready in wait(list(busy)):
            worker = busy.pop(ready)  # type: ignore[call-overload]
            (counts, failures), rest = worker.result()
            tally.counts += counts
            for number, reason in failures:
                tally.failures.append(Failure(mutant(seed, number, of), reason))
                tell(f"FAILED {tally.failures[-1].mutant}: {reason.splitlines()[0]}")
            if rest:
                left.append(rest)
            employ(worker)
    for worker in workers:
        worker.end()
    return tally


def batches(count: int | None) -> Iterator[range]:
    """The numbers of ``count`` mutants, or of all, in batches."""
    first = 0
    while count is None or first < count:
        last = first + _BATCH if count is None else min(first + _BATCH, count)
        yield range(first, last)
        first = last


def _work(
    connection: Connection, seed: int, of: tuple[Original, ...], current: Any, ask: bool
) -> None:
    warnings.simplefilter("error")
    executions = Executions(ask)
    while numbers := connection.recv():
        connection.send(try_all(seed, numbers, of, executions, current))


def try_all(
    seed: int,
    numbers: Sequence[int],
    of: tuple[Original, ...],
    executions: Executions,
    current: Any,
) -> Report:
    """Mutate, try, compile and run; how often what happened, and which mutants failed and why.

    The shared ``current`` holds the number under way, for who finds this process dead.
    """
    counts: Counter[str] = Counter()
    failures: list[tuple[int, str]] = []
    before = (executions.run, executions.compared)
    for number in numbers:
        current.value = number
        one, choice = mutant(seed, number, of), choice_of(number)
        try:
            accepted = accepts(one.data, choice)
            if accepted:
                executions.add(one, choice)
        except (Exception, OutOfTime) as error:
            failures.append((number, _reason(error)))
            continue
        counts["accepted" if accepted else "refused"] += 1
    for one, reason in executions.settle():
        failures.append((one.number, reason))
        counts["accepted"] -= 1
    counts["failed"] = len(failures)
    counts["executed"] = executions.run - before[0]
    counts["compared"] = executions.compared - before[1]
    return counts, failures


def _reason(error: BaseException) -> str:
    """One line, and the traceback of what was behind it."""
    lines = traceback.format_exception(error)
    return f"{type(error).__name__}: {error}\n\n{''.join(lines)}"
