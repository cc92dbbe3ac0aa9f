"""One drawn model: through its file, the oracle, and the interpreters whose numbers it has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from firmware_tests.conformance.asking import Answer, Question, ask_all, stacked
from firmware_tests.conformance.drawing import drawn, is_drawn
from firmware_tests.conformance.known import known_difference
from firmware_tests.kernels.harness import expected
from firmware_tests.models.writer import to_tflite
from tinygen.agreement import tolerance_of
from tinygen.errors import TinygenError
from tinygen.frontend.tflite import read_model
from tinygen.interpreters import available
from tinygen.ir import Array, DType, Graph, Numerics, Op, graph_lines
from tinygen.ops.tolerance import deviating
from tinygen.vectors import draw_vectors

ROOTS = ("RSQRT", "SQRT")
VECTORS = 6  # the four extremes and two uniform

Vectors = Sequence[Sequence[Array]]


@dataclass(frozen=True, order=True)
class Name:
    """Which case: from these three everything follows. Even seeds are for TFLite Micro's numbers,
    odd ones for LiteRT's, where tinygen takes the operator under both."""

    kind: str
    dtype: str
    seed: int

    @property
    def numerics(self) -> Numerics:
        """Whose numbers are asked for."""
        wanted = sorted(Numerics, key=lambda n: list(Numerics)[self.seed % len(Numerics)] is not n)
        return next((n for n in wanted if is_drawn(self.kind, DType(self.dtype), n)), wanted[0])

    def __str__(self) -> str:
        return f"{self.kind.lower()}_{self.dtype}_{self.seed}"


@dataclass(frozen=True, eq=False)
class Case:
    """A model as the front end read it, what goes in, and what the oracle says comes out."""

    name: Name
    model: bytes
    graph: Graph
    inputs: Vectors
    want: Vectors

    @property
    def elements(self) -> int:
        """How large the model is."""
        op = self.graph.ops[0]
        return sum(t.elements for t in (*op.inputs, *op.outputs))


@dataclass(frozen=True)
class Finding:
    """What is wrong with a case. ``vector`` is the number of the first that shows it."""

    name: Name
    place: str
    message: str
    vector: int = 0


def made(name: Name) -> Case:
    """The case of ``name`` as the front end reads its file."""
    graph = drawn(name.kind, DType(name.dtype), name.numerics, name.seed)
    model = to_tflite(graph)
    read = read_model(model, f"{name}.tflite", name.numerics)
    inputs = answered(read.ops[0], draw_vectors(read, VECTORS, name.seed).inputs)
    return Case(name, model, replace(read, name=str(name)), inputs, expected(read, inputs))


def answered(op: Op, inputs: Vectors) -> Vectors:
    """``inputs`` without those at which the references stop: negative int16, of which roots are
    asked. Zero points of int8 are drawn so that there are none."""
    if op.kind not in ROOTS or op.x.dtype is not DType.INT16:
        return inputs
    return tuple(tuple(np.maximum(value, 0) for value in vector) for vector in inputs)


def references_of(case: Case) -> tuple[Numerics, ...]:
    """The interpreters to ask: its own first, and the other where it has the same numbers."""
    own = case.name.numerics
    return (own, *(n for n in Numerics if n is not own))


def is_same(case: Case, numerics: Numerics) -> bool:
    """Whether the front end makes the same of the file for other numerics."""
    try:
        return graph_lines(read_model(case.model, str(case.name), numerics)) == graph_lines(
            case.graph
        )
    except TinygenError:
        return False


@dataclass(frozen=True)
class Verdict:
    """What the interpreters say of a case, but for the answers that do not count: those that are
    ``known`` to be wrong."""

    case: Case
    answers: tuple[tuple[Numerics, Answer], ...]
    findings: tuple[Finding, ...]
    known: tuple[str, ...] = ()

    @property
    def is_compared(self) -> bool:
        """Whether some interpreter's numbers were there to compare with."""
        return any(answer.is_given for _, answer in self.answers)


def judged(cases: Sequence[Case]) -> Iterator[Verdict]:
    """Compare the oracle with the interpreters.

    Where numbers are one interpreter's alone, the other is asked only if that one has no kernel.
    """
    answers: dict[tuple[int, Numerics], Answer] = {}
    for numerics in Numerics:
        if available(numerics):
            models = [Question(c.model, stacked(c.inputs), numerics) for c in cases]
            for index, answer in enumerate(ask_all(models)):
                answers[index, numerics] = answer
    for index, case in enumerate(cases):
        first, second = references_of(case)
        asked = [n for n in (first, second) if (index, n) in answers]
        told = first in asked and answers[index, first].is_given
        if told and not is_same(case, second):
            asked = [first]
        given = tuple((n, answers[index, n]) for n in asked)
        yield _verdict(case, given)


def _verdict(case: Case, given: tuple[tuple[Numerics, Answer], ...]) -> Verdict:
    findings, known, counted = [], [], []
    for numerics, answer in given:
        if reason := known_difference(case.graph.ops[0], numerics):
            known.append(reason)
            continue
        counted.append((numerics, answer))
        if answer.is_given and (found := _difference(case, numerics.value, answer)):
            findings.append(found)
    return Verdict(case, tuple(counted), tuple(findings), tuple(known))


def _difference(case: Case, place: str, answer: Answer) -> Finding | None:
    rows = list(zip(*answer.outputs, strict=True))
    return difference(case, place, rows, "the oracle gives", "the interpreter")


def difference(
    case: Case, place: str, got: Vectors, ours: str = "wanted", theirs: str = "got"
) -> Finding | None:
    """The first difference between ``got`` and what the oracle says, within the operator's
    tolerance."""
    tolerance = tolerance_of(case.graph.ops[0])
    columns = zip(zip(*got, strict=True), zip(*case.want, strict=True), strict=True)
    for tensor, (mine, wanted) in zip(case.graph.outputs, columns, strict=True):
        found, want = np.stack(mine), np.stack(wanted)
        if (found.size, found.dtype) != (want.size, want.dtype):
            was, due = (f"{a.dtype}{list(a.shape[1:])}" for a in (found, want))
            return Finding(case.name, place, f"{ours} {due}, {theirs} {was}")
        found = found.reshape(len(want), *tensor.shape)
        where = np.argwhere(deviating(found, want, tolerance))
        if len(where):
            vector, *at = first = tuple(int(i) for i in where[0])
            message = (
                f"{len(where)} of {want.size} differ, first in vector {vector} at {tuple(at)}: "
                f"{ours} {want[first]}, {theirs} {found[first]}"
            )
            return Finding(case.name, place, message, vector)
    return None
