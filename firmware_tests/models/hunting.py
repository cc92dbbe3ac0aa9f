"""Check many random graphs, each in a process of its own, and shrink those that fail.

A process of its own, because a reference interpreter may abort, and kernels may hang.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait

from firmware_tests.kernels.whole_graphs import check_natively, checked_case
from firmware_tests.models.random_graphs import random_graph
from tinygen.ir import Graph, Numerics

PATIENCE_S = 120.0
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Subject:
    """A graph to check; ``seed`` gives the vectors and the compiler's options."""

    graph: Graph
    seed: int
    numerics: Numerics


class Trial:
    """The check of one subject, under way in a process of its own."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.deadline = time.monotonic() + PATIENCE_S
        self.receiver, sender = _FORK.Pipe(duplex=False)
        self.process = _FORK.Process(target=_report, args=(subject, sender))
        self.process.start()
        sender.close()

    def result(self) -> str:
        """Wait for the end: '' for success, else what went wrong."""
        try:
            if not self.receiver.poll(max(0.0, self.deadline - time.monotonic())):
                self.process.terminate()
                return f"no end within {PATIENCE_S:g} s"
            return str(self.receiver.recv())
        except EOFError:
            self.process.join()
            return f"the process died with exit code {self.process.exitcode}"
        finally:
            self.process.join()
            self.receiver.close()


def _report(subject: Subject, sender: Connection) -> None:
    try:
        case = checked_case(subject.graph, subject.seed, subject.numerics)
        check_natively([case])
    except Exception as error:
        sender.send(f"{type(error).__name__}: {error}")
    else:
        sender.send("")


def hunt(first: int, count: int, seconds: float, jobs: int, tell: Callable[[str], None]) -> int:
    """Check seeds from ``first`` on, for both numerics; return how many graphs failed.

    Stops after ``count`` seeds or ``seconds``. Failures go to ``tell``, shrunk.
    """
    end = time.monotonic() + seconds
    seeds = iter(range(first, first + count))
    pending: list[Subject] = []
    running: list[Trial] = []
    checked = failed = 0
    last = first
    while True:
        while len(running) < jobs and time.monotonic() < end:
            if not pending and (seed := next(seeds, None)) is not None:
                last = seed
                pending = [Subject(random_graph(seed, n), seed, n) for n in Numerics]
            if not pending:
                break
            running.append(Trial(pending.pop()))
        if not running:
            break
        wait([trial.receiver for trial in running], timeout=1.0)
        for trial in [t for t in running if t.receiver.poll() or time.monotonic() > t.deadline]:
            running.remove(trial)
            checked += 1
            if message := trial.result():
                failed += 1
                tell(story(trial.subject, message))
    tell(f"{checked} graphs of seeds {first} to {last}: {failed} failed")
    return failed


def story(subject: Subject, message: str) -> str:
    """What a colleague needs to know of a failure."""
    small = shrunk(subject, message)
    again = Trial(small).result()
    return (
        f"--- seed {subject.seed}, {subject.numerics.value}: {len(subject.graph.ops)} operators, "
        f"{len(small.graph.ops)} of them needed\n{small.graph}\n{again.strip()[:4000]}\n"
    )


def shrunk(subject: Subject, message: str) -> Subject:
    """The smallest subject found that fails in the way of ``message``."""

    def fails(graph: Graph) -> bool:
        return symptom(Trial(replace(subject, graph=graph)).result()) == symptom(message)

    return replace(subject, graph=shrunk_graph(subject.graph, fails))


def shrunk_graph(graph: Graph, fails: Callable[[Graph], bool]) -> Graph:
    """``graph`` without all that it can lose and still fail, one thing at a time."""
    while (found := next(filter(fails, smaller(graph)), None)) is not None:
        graph = found
    return graph


def symptom(message: str) -> str:
    """What stays the same of a message while a graph shrinks."""
    return ":".join(message.split("'", maxsplit=1)[0].split(":")[:2])


def smaller(graph: Graph) -> Iterator[Graph]:
    """``graph`` with one thing less: an operator, an output, an input."""
    for gone in reversed(graph.ops):
        ops = tuple(op for op in graph.ops if op is not gone)
        outputs = tuple(t for t in graph.outputs if t not in gone.outputs)
        outputs = outputs or tuple(op.y for op in ops)[-1:]
        # What the operator made, the caller now gives.
        given = tuple(t for t in gone.outputs if any(t in op.inputs for op in ops))
        if outputs:
            yield replace(graph, ops=ops, outputs=outputs, inputs=(*graph.inputs, *given))
    if len(graph.outputs) > 1:
        for index in range(len(graph.outputs)):
            yield replace(graph, outputs=graph.outputs[:index] + graph.outputs[index + 1 :])
    unused = [t for t in graph.inputs if not graph.consumers(t) and t not in graph.outputs]
    if len(graph.inputs) > 1:
        for tensor in unused:
            yield replace(graph, inputs=tuple(t for t in graph.inputs if t is not tensor))
