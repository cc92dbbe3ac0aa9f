"""The C of accepted files: compiled with warnings as errors, run under sanitizers, and compared."""

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from firmware_tests.conformance.asking import Question, ask_all, stacked
from firmware_tests.conformance.known import known_difference
from firmware_tests.fuzzing.limits import OutOfTime, bounded
from firmware_tests.fuzzing.mutants import Mutant
from firmware_tests.fuzzing.trial import Choice
from firmware_tests.kernels.harness import ALL_ISAS, RowChoice, compile_cases, expected
from firmware_tests.kernels.whole_graphs import (
    Case,
    assert_shaped_alike,
    check_outputs,
    run_natively,
    vectors_of,
)
from tinygen.agreement import model_tolerance
from tinygen.compile import Options
from tinygen.emit import ArenaKind, Program, emit
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.instances import Optimize
from tinygen.interpreters import available
from tinygen.ir import Array, Graph, Numerics
from tinygen.isa import Isa
from tinygen.ops import definition_of
from tinygen.ops.tolerance import EXACT
from tinygen.ops.while_loop import While

# What is larger is only compiled by tinygen: the numpy oracle is slow, and `whole_graphs` watches
# every byte of the arena after every layer.
_MOST_MACS = 1_000_000
_MOST_BYTES = 100_000
_ISAS = (Isa.ANY, Isa.DSP, ALL_ISAS)

Accepted = tuple[Mutant, Case]


@dataclass(slots=True)
class Executions:
    """The accepted mutants that wait for the C compiler; equal programs are run once."""

    ask: bool = True
    waiting: list[Accepted] = field(default_factory=list)
    known: set[bytes] = field(default_factory=set)
    run: int = 0
    compared: int = 0

    def add(self, mutant: Mutant, choice: Choice) -> None:
        """Compile a mutant that tinygen accepts, and compute what must come out."""
        with bounded():
            case = _case(mutant, choice)
            if case is not None and self._is_new(case.program):
                self.waiting.append((mutant, case))

    def settle(self) -> list[tuple[Mutant, str]]:
        """Build and run what waits, and ask the interpreters if told so; which fail, and how."""
        waiting, self.waiting = self.waiting, []
        self.run += len(waiting)
        return _failures(waiting) + (self._disagreements(waiting) if self.ask else [])

    def _disagreements(self, cases: Sequence[Accepted]) -> list[tuple[Mutant, str]]:
        """The mutants for which an interpreter, where it takes them, has other numbers."""
        found = []
        for numerics in filter(available, Numerics):
            asked = [(m, c) for m, c in cases if _is_for(c, numerics)]
            answers = ask_all([Question(m.data, stacked(c.inputs), numerics) for m, c in asked])
            for (mutant, case), answer in zip(asked, answers, strict=True):
                if answer.is_given:
                    self.compared += 1
                    rows = [_without_payload(r) for r in zip(*answer.outputs, strict=True)]
                    try:
                        assert_shaped_alike(case.program.graph, rows, case.want, numerics.value)
                    except (AssertionError, ValueError) as error:
                        found.append((mutant, f"the oracle differs from {_tail(str(error))}"))
        return found

    def _is_new(self, program: Program) -> bool:
        origin = replace(program.provenance, model_file="", model_sha256="")
        files = emit(replace(program, name="mutant", provenance=origin))
        digest = hashlib.sha256("\n".join(files.values()).encode()).digest()
        new = digest not in self.known
        self.known.add(digest)
        return new


def _failures(cases: Sequence[Accepted]) -> list[tuple[Mutant, str]]:
    """Run all; what does not build, or not run clean, is halved until single mutants are left."""
    if not cases:
        return []
    found = []
    try:
        results = run_natively([case for _, case in cases])
    except (AssertionError, subprocess.TimeoutExpired) as error:
        if len(cases) == 1:
            return [(cases[0][0], f"its C fails: {_tail(str(error))}")]
        half = len(cases) // 2
        return _failures(cases[:half]) + _failures(cases[half:])
    for (mutant, case), got in zip(cases, results, strict=True):
        try:
            if _is_exact(case):
                check_outputs(case, [_without_payload(row) for row in got])
        except AssertionError as error:
            found.append((mutant, f"its C has other numbers: {_tail(str(error))}"))
    return found


def _is_exact(case: Case) -> bool:
    """Whether the numbers of every operator are given to the bit.

    What floats lie off, a later operator may round to another integer, or blow up to infinity.
    """
    return model_tolerance(case.program.graph) == EXACT


def _without_payload(row: Sequence[Array]) -> list[Array]:
    """What came out, each NaN the same one: C has no way to write the bits of a NaN."""
    return [
        np.where(np.isnan(a), np.float32("nan"), a) if a.dtype == np.float32 else a for a in row
    ]


def _is_for(case: Case, numerics: Numerics) -> bool:
    """Whether the interpreter of ``numerics`` says what the numbers of ``case`` are."""
    own = case.program.provenance.numerics == numerics.value
    ops = case.program.graph.ops
    return own and _is_exact(case) and not any(known_difference(op, numerics) for op in ops)


def _tail(text: str) -> str:
    return text if len(text) < 4000 else f"{text[:2000]}\n...\n{text[-2000:]}"


def _case(mutant: Mutant, choice: Choice) -> Case | None:
    """The program of ``mutant`` and its vectors; None where that would take long."""
    numerics = Numerics(choice.numerics)
    graph = read_model(mutant.data, "model.tflite", numerics)
    if not _is_small(graph) or all(t.is_constant for t in (*graph.inputs, *graph.outputs)):
        return None
    options = Options(
        name=f"mutant{mutant.number}",
        numerics=numerics,
        optimize=Optimize(choice.optimize),
        arena=ArenaKind(choice.arena),
    )
    rows = RowChoice(mutant.number // 7 % 3)
    program = compile_cases(graph, _ISAS[mutant.number % 3], options, rows)
    if program.memory.arena_bytes > _MOST_BYTES:
        return None
    inputs = vectors_of(graph, mutant.number)
    try:
        want = [_without_payload(row) for row in expected(graph, inputs)]
        return Case(program, inputs, want)
    except (UnsupportedError, OutOfTime):
        if any(isinstance(op, While) for op in graph.ops):
            return None  # a loop that does not end, in C neither
        raise


def _is_small(graph: Graph) -> bool:
    activations = [*graph.sources, *(t for op in graph.ops for t in op.outputs)]
    macs = sum(definition_of(op).macs(op) for op in graph.ops)
    size = sum(t.nbytes for t in (*activations, *graph.outputs))
    return macs <= _MOST_MACS and size <= _MOST_BYTES
