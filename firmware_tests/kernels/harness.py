"""Run operators as generated C and compare with the numpy reference: byte for byte, or float32
within the operator's tolerance.

Many operators share one program: a graph of independent operators, each with inputs and outputs of
its own. All outputs stay alive to the end, so a kernel that writes out of its bounds spoils a
neighbour and is caught, beside what the sanitizers see.
"""

import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinygen import reference
from tinygen.agreement import model_tolerance, tolerance_of
from tinygen.compile import Options, compile_graph
from tinygen.emit import ArenaKind, Program, emit
from tinygen.frontend.variables import resting
from tinygen.instances import Optimize
from tinygen.ir import Array, DType, Graph, Op, State, Tensor
from tinygen.isa import Isa
from tinygen.ops.base import Kernel
from tinygen.ops.reshape import Reshape
from tinygen.ops.tolerance import deviating
from tinygen.select import Choice, best, candidates
from tinygen.vectors import draw_vectors

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
ALL_ISAS = Isa.DSP | Isa.MVE


@dataclass(frozen=True)
class RowChoice:
    """Take the row at ``index`` of those that fit, or the last: runs every row of every table."""

    index: int

    def __call__(self, op: Op, rows: Sequence[Kernel[Any]]) -> Kernel[Any]:
        return rows[min(self.index, len(rows) - 1)]


@dataclass(frozen=True)
class TheRow:
    """Take the row at ``index`` of all that fit a core with ``isa``, or the last.

    What is optimized for decides how it is instantiated, not which it is.
    """

    index: int
    isa: Isa

    def __call__(self, op: Op, rows: Sequence[Kernel[Any]]) -> Kernel[Any]:
        every = candidates(op, self.isa)
        return every[min(self.index, len(every) - 1)]


def takers(ops: Iterable[Op], isa: Isa, row: int) -> tuple[Op, ...]:
    """The operators that have a row numbered ``row``; those without code have the first."""
    return tuple(op for op in ops if row < max(1, len(candidates(op, isa))))


def vector_ops(ops: Iterable[Op], isa: Isa, row: int) -> tuple[Op, ...]:
    """The operators whose row numbered ``row`` is for Helium: its inner loops are other assembly
    where their shape is constant."""

    def is_vector(op: Op) -> bool:
        return any(found.needs is Isa.MVE for found in candidates(op, isa)[row : row + 1])

    return tuple(filter(is_vector, ops))


def graph_of(ops: Iterable[Op], name: str = "cases") -> Graph:
    """One graph of independent operators; what they update is the graph's state.

    Of an operator that gives nothing else, a view of the state is an output.
    """
    listed = tuple(ops)
    pairs = [(op.inputs[i], op.outputs[o]) for op in listed for i, o in op.updates]
    states = tuple(State(before, after, at_rest(before)) for before, after in pairs)
    inputs = tuple(dict.fromkeys(t for op in listed for t in op.activations))
    outputs = tuple(t for op in listed for t in op.outputs)
    if states:
        before, after = ({t[end] for t in pairs} for end in (0, 1))
        read = set(inputs)
        inputs = tuple(t for t in inputs if t not in before | after)
        hidden = [op for op in listed if after.issuperset(op.outputs) and op.y not in read]
        shown = tuple(
            Reshape(f"{op.name}/shown", op.outputs, (replace(op.y, name=f"{op.name}/shown"),))
            for op in hidden
        )
        outputs = (*(t for t in outputs if t not in after), *(op.y for op in shown))
        listed = (*listed, *shown)
    return Graph(name, inputs, outputs, listed, states)


def at_rest(tensor: Tensor) -> Array:
    """What a variable tensor holds at first."""
    return resting(tensor, tensor.quant if tensor.dtype is DType.INT8 else None)


def compile_cases(graph: Graph, isa: Isa, options: Options, choose: Choice) -> Program:
    """Compile ``graph`` for a core with ``isa``, as ``tinygen generate`` would.

    The cases' arena is much larger than any needs; their scratch is as if it were not.
    """
    sha256 = "0" * 64
    return compile_graph(
        graph, "cases.tflite", sha256, "host", isa, options, choose=choose, spare=False
    )


def run_native(program: Program, inputs: Sequence[Sequence[Array]]) -> list[list[Array]]:
    """Build the emitted C for the host with sanitizers, and run it over ``inputs``."""
    with tempfile.TemporaryDirectory(prefix="tinygen-kernels-") as work:
        directory = Path(work)
        for name, text in emit(program).items():
            (directory / name).write_text(text)
        (directory / "main.c").write_text(_main(program))
        sources = [f"{program.name}.c", f"{program.name}_weights.c", "main.c"]
        flags = ("-std=c99", "-O1", "-g1", *WARNINGS, *SANITIZERS)
        command = ["cc", *flags, *sources, "-lm", "-o", "cases"]
        built = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        blob = b"".join(np.ascontiguousarray(a).tobytes() for vector in inputs for a in vector)
        done = subprocess.run(
            [directory / "cases"], input=blob, capture_output=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
    results, offset = [], 0
    for _ in inputs:
        vector = []
        for tensor in program.graph.outputs:
            piece = done.stdout[offset : offset + tensor.nbytes]
            vector.append(np.frombuffer(piece, tensor.dtype.numpy).reshape(tensor.shape))
            offset += tensor.nbytes
        results.append(vector)
    assert offset == len(done.stdout)
    return results


def _main(program: Program) -> str:
    """Read all inputs, invoke, write all outputs, until end of file; the arena starts poisoned."""
    name = program.name
    caller = program.provenance.arena is ArenaKind.CALLER
    argument = "&arena" if caller else ""
    count = len(program.graph.inputs)
    reads = "\n".join(
        f"        if (fread({name}_input_{i}({argument}), 1, {t.nbytes}, stdin) != {t.nbytes}) "
        f"return {'0' if i == 0 else '1'};"
        for i, t in enumerate(program.graph.inputs)
    )
    writes = "\n".join(
        f"        fwrite({name}_output_{i}({argument}), 1, {t.nbytes}, stdout);"
        for i, t in enumerate(program.graph.outputs)
    )
    assert count, "a program without inputs has no end of file"
    poison = "memset(&arena, 0xA5, sizeof arena);" if caller else ""
    reset = f"    {name}_reset({argument});\n" if program.graph.states else ""
    if reset:
        reset, poison = f"    {poison}\n{reset}", ""
    return (
        f'#include <stdio.h>\n#include <string.h>\n#include "{name}.h"\n'
        + (f"static {name}_arena arena;\n" if caller else "")
        + f"int main(void)\n{{\n{reset}    for (;;) {{\n        {poison}\n{reads}\n"
        f"        {name}_invoke({argument});\n{writes}\n    }}\n}}\n"
    )


def expected(graph: Graph, inputs: Sequence[Sequence[Array]]) -> list[tuple[Array, ...]]:
    """The oracle's outputs; ``inputs`` are one sequence."""
    return reference.run_all(graph, inputs)


def assert_equal(
    graph: Graph,
    inputs: Sequence[Sequence[Array]],
    got: Sequence[Sequence[Array]],
    want: Sequence[Sequence[Array]],
) -> None:
    """Compare byte for byte, float32 within its operator's tolerance.

    Where operators read one another's results, float32 has the tolerance of whole models. The
    message names operator, vector and first difference.
    """
    chained = any(graph.producer(t) for op in graph.ops for t in op.activations)
    whole = model_tolerance(graph)
    columns = zip(zip(*got, strict=True), zip(*want, strict=True), strict=True)
    for tensor, (mine, theirs) in zip(graph.outputs, columns, strict=True):
        op = graph.producer(tensor)
        a, b = np.stack(mine), np.stack(theirs)
        tolerance = tolerance_of(op) if op and not chained else whole
        where = np.argwhere(deviating(a, b, tolerance))
        if len(where):
            vector, *at = first = tuple(where[0])
            raise AssertionError(
                f"{op.kind if op else '?'} '{tensor.name}' vector {vector}: {len(where)} of "
                f"{a.size} differ, first at {tuple(at)}: got {a[first]}, want {b[first]}\n"
                f"{graph_of([op]) if op else graph}"
            )


def check_native(
    ops: Iterable[Op],
    *,
    isa: Isa = ALL_ISAS,
    seed: int = 0,
    count: int = 7,
    options: Options | None = None,
    every_row: bool = True,
) -> None:
    """Every kernel row that fits each operator gives the reference's bytes on the host.

    Both ways to instantiate (per geometry, and one for all) and both arenas take turns; every
    operator meets both.
    """
    listed = tuple(ops)
    rows = max(len(candidates(op, isa)) for op in listed) if every_row else 1
    for row in range(max(rows, 2)):
        chosen = options or Options(
            optimize=Optimize.SIZE if row % 2 else Optimize.SPEED,
            arena=ArenaKind.CALLER if row % 2 else ArenaKind.STATIC,
        )
        choose: Choice = TheRow(row, isa) if every_row else best
        check_choice(
            takers(listed, isa, row) if row > 1 else listed, isa, chosen, choose, seed, count
        )
        vectors = vector_ops(listed, isa, row) if chosen.optimize is Optimize.SIZE else ()
        if vectors:
            fast = replace(chosen, optimize=Optimize.SPEED)
            check_choice(vectors, isa, fast, choose, seed, count)


def check_choice(
    ops: Sequence[Op], isa: Isa, options: Options, choose: Choice, seed: int, count: int
) -> None:
    """One row of each operator gives the reference's bytes on the host."""
    graph = graph_of(ops)
    inputs = draw_vectors(graph, count, seed).inputs
    program = compile_cases(graph, isa, options, choose)
    assert_equal(program.graph, inputs, run_native(program, inputs), expected(graph, inputs))
