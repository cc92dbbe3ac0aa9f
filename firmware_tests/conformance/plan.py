"""A run: which cases, in which groups, on which processes, until when."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from typing import TypeVar

from firmware_tests.conformance.checking import Case, Finding, Name, judged, made
from firmware_tests.conformance.running import Way, grouped, limit_bytes, on_board, on_host
from firmware_tests.conformance.tally import HOST, Tally

HOST_GROUP = 40  # cases of one operator and type in one executable
BOARD_GROUP = 80  # cases of any in one image

T = TypeVar("T")
Pair = tuple[str, str]
Tallies = dict[Pair, Tally]


@dataclass(frozen=True)
class Unit:
    """What one process does at a time."""

    names: tuple[Name, ...]
    place: str
    number: int


def performed(unit: Unit) -> Tallies:
    """Draw the cases, ask the interpreters, run the firmware."""
    tallies: Tallies = defaultdict(Tally)
    cases: list[Case] = []
    for name in unit.names:
        try:
            cases.append(made(name))
        except Exception as error:
            found = Finding(name, "draw", f"{type(error).__name__}: {error}"[:2000])
            tallies[name.kind, name.dtype].findings.append(found)
    checked: list[Case] = []
    ran: list[Case] = []
    for verdict in judged(cases):
        tally = tallies[verdict.case.name.kind, verdict.case.name.dtype]
        tally.note(verdict)
        if verdict.is_compared:
            checked.append(verdict.case)
    for index, group in enumerate(grouped(cases, limit_bytes(unit.place))):
        ran += group
        way = Way.numbered(unit.number + index)
        found_here = on_host(group, way) if unit.place == HOST else on_board(group, unit.place, way)
        for found in found_here:
            tallies[found.name.kind, found.name.dtype].findings.append(found)
    for case in set(ran) & set(checked):
        tallies[case.name.kind, case.name.dtype].ran[unit.place] += 1
    return dict(tallies)


def chunks(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """``items`` in order, ``size`` at a time."""
    for first in range(0, len(items), size):
        yield tuple(items[first : first + size])


def host_units(pairs: Sequence[Pair], seeds: range) -> Iterator[Unit]:
    """Each operator and type for itself: what fails to compile spoils no other."""
    for kind, dtype in pairs:
        for number, chunk in enumerate(chunks(seeds, HOST_GROUP)):
            yield Unit(tuple(Name(kind, dtype, seed) for seed in chunk), HOST, number)


def board_units(pairs: Sequence[Pair], seeds: range, board: str) -> Iterator[Unit]:
    """All mixed: an image takes long to build and to start."""
    names = [Name(kind, dtype, seed) for seed in seeds for kind, dtype in pairs]
    for number, chunk in enumerate(chunks(names, BOARD_GROUP)):
        yield Unit(chunk, board, number)


def rounds(
    pairs: Sequence[Pair], seed: int, cases: int, boards: Sequence[str], again: bool
) -> Iterator[Unit]:
    """Units for ``cases`` of each pair at each place; with ``again`` without end, on new seeds."""
    for turn in count() if again else range(1):
        seeds = range(seed + turn * cases, seed + (turn + 1) * cases)
        if not boards:
            yield from host_units(pairs, seeds)
        for board in boards:
            yield from board_units(pairs, seeds, board)


def run(
    units: Iterator[Unit], deadline: float, jobs: int, tell: Callable[[Unit, Tallies], None]
) -> Mapping[Pair, Tally]:
    """Perform ``units`` in ``jobs`` processes; none begins after ``deadline`` (monotonic)."""
    total: Tallies = defaultdict(Tally)
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        pending: dict[Future[Tallies], Unit] = {}
        while True:
            while len(pending) < jobs and time.monotonic() < deadline:
                if (unit := next(units, None)) is None:
                    break
                pending[pool.submit(performed, unit)] = unit
            if not pending:
                return total
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                tallies = future.result()
                for pair, tally in tallies.items():
                    total[pair].join(tally)
                tell(pending.pop(future), tallies)
