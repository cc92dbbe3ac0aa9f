"""Check whole graphs: file, front end, oracle, interpreters, and the compiled C layer by layer.

The C programs of several graphs share one executable. After every layer it looks at the whole
arena: only the layer's own output and scratch may have changed. Then it spoils all bytes that no
later layer may need, so that what reads a dead tensor, or one that was never written, shows.
"""

import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_tests.kernels.harness import (
    ALL_ISAS,
    SANITIZERS,
    WARNINGS,
    RowChoice,
    assert_equal,
    compile_cases,
    expected,
)
from firmware_tests.models.writer import to_tflite
from tinygen.compile import Options
from tinygen.emit import ArenaKind, Program, emit
from tinygen.frontend.tflite import read_model
from tinygen.instances import Optimize
from tinygen.interpreters import available, run_reference
from tinygen.ir import Array, Graph, Numerics, Tensor
from tinygen.isa import Isa
from tinygen.ops import definition_of
from tinygen.vectors import draw_vectors

DRAWN = 6  # the four extremes and two uniform
ISAS = (Isa.ANY, Isa.DSP, ALL_ISAS)

Vectors = Sequence[Sequence[Array]]
Span = tuple[int, int]  # offset and bytes


@dataclass(frozen=True)
class Case:
    """A program, what goes in, and what must come out."""

    program: Program
    inputs: Vectors
    want: Vectors


def vectors_of(graph: Graph, seed: int) -> Vectors:
    """Each set of inputs twice, the second time in the other order: no run may leave a trace."""
    drawn = draw_vectors(graph, DRAWN, seed).inputs
    return (*drawn, *reversed(drawn))


def checked_case(graph: Graph, seed: int, numerics: Numerics, *, ask: bool = True) -> Case:
    """Compile ``graph`` through its .tflite file, as ``seed`` says: options, arena, extensions.

    Checks on the way that the file holds the graph, and, with ``ask``, that the interpreter of
    ``numerics`` agrees with the oracle. Raises AssertionError.
    """
    broken = [line for op in graph.ops for line in definition_of(op).violations(op)]
    assert not broken, "\n".join(broken)
    data = to_tflite(graph)
    read = read_model(data, f"{graph.name}.tflite", numerics)
    assert str(read) == str(graph)
    inputs = vectors_of(graph, seed)
    want = expected(read, inputs)
    if ask and available(numerics):
        stacked = tuple(np.stack(column) for column in zip(*inputs, strict=True))
        columns = run_reference(data, stacked, numerics)
        theirs = list(zip(*columns, strict=True))
        assert_shaped_alike(read, theirs, want, f"oracle against {numerics.value}")
    options = Options(
        name=f"{graph.name}_{numerics.value}",
        numerics=numerics,
        optimize=list(Optimize)[seed % len(Optimize)],
        arena=list(ArenaKind)[seed // 2 % 2],
    )
    choice = RowChoice(seed // 12 % 2)  # the best row, or the next
    return Case(compile_cases(read, ISAS[seed % 3], options, choice), inputs, want)


def assert_shaped_alike(graph: Graph, got: Vectors, want: Vectors, what: str) -> None:
    """Compare byte for byte; interpreters have shapes of their own for scalars."""
    shaped = [
        [np.reshape(a, t.shape) for t, a in zip(graph.outputs, vector, strict=True)]
        for vector in got
    ]
    try:
        assert_equal(graph, [], shaped, want)
    except AssertionError as error:
        raise AssertionError(f"{what}: {error}") from None


def check_natively(cases: Sequence[Case]) -> None:
    """Build one executable of all ``cases``, run it, and compare. Raises AssertionError."""
    for case, got in zip(cases, run_natively(cases), strict=True):
        check_outputs(case, got)


def check_outputs(case: Case, got: Vectors) -> None:
    """Compare what came out. Raises AssertionError."""
    try:
        assert_equal(case.program.graph, case.inputs, got, case.want)
    except AssertionError as error:
        raise AssertionError(f"{case.program.name}: {error}") from None


def run_natively(cases: Sequence[Case]) -> list[Vectors]:
    """Build one executable of all ``cases`` and run it; what comes out of each.

    Raises AssertionError where the C does not compile, or not run clean.
    """
    blob = b"".join(_bytes(case.inputs) for case in cases)
    with tempfile.TemporaryDirectory(prefix="tinygen-graphs-") as work:
        directory = Path(work)
        files = {"main.c": _main(cases)}
        for case in cases:
            files |= emit(case.program)
        for name, text in files.items():
            (directory / name).write_text(text)
        hooks = [f"-D{case.program.name.upper()}_LAYER_HOOK=after_layer" for case in cases]
        sources = [name for name in files if name.endswith(".c")]
        command = ["cc", "-std=c99", "-O1", "-g1", *WARNINGS, *SANITIZERS, *hooks, *sources]
        built = subprocess.run(
            [*command, "-lm", "-o", "graphs"],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr
        done = subprocess.run(
            [directory / "graphs"], input=blob, capture_output=True, check=False, timeout=300
        )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    offset = 0
    found: list[Vectors] = []
    for case in cases:
        got, offset = _read(case, done.stdout, offset)
        found.append(got)
    assert offset == len(done.stdout)
    return found


def _bytes(vectors: Vectors) -> bytes:
    return b"".join(np.ascontiguousarray(a).tobytes() for vector in vectors for a in vector)


def _read(case: Case, raw: bytes, offset: int) -> tuple[list[list[Array]], int]:
    results = []
    for _ in case.inputs:
        vector = []
        for tensor in case.program.graph.outputs:
            piece = raw[offset : offset + tensor.nbytes]
            vector.append(np.frombuffer(piece, tensor.dtype.numpy).reshape(tensor.shape))
            offset += tensor.nbytes
        results.append(vector)
    return results, offset


def needed_after(program: Program) -> list[list[Span]]:
    """For each layer, and first for what is there before, the parts of the arena read later.

    Told from the steps alone, not from the planner's own live ranges.
    """
    steps, graph = program.steps, program.graph
    first = dict.fromkeys(graph.sources, -1)
    last: dict[Tensor, int] = {}
    for index, step in enumerate(steps):
        first |= dict.fromkeys(step.op.outputs, index)
        last |= dict.fromkeys(step.op.activations, index)
    last |= dict.fromkeys(graph.results, len(steps))
    codes = [-1, *(i for i, step in enumerate(steps) if step.kernel is not None)]
    return [
        [
            (program.memory.tensors[t], t.nbytes)
            for t, made in first.items()
            if made <= index < last.get(t, -2)
        ]
        for index in _before_next(codes, len(steps))
    ]


def _before_next(codes: Sequence[int], count: int) -> Iterable[int]:
    """The last step before the next layer: views in between are made by then."""
    return (following - 1 for following in (*codes[1:], count))


_WATCH = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    size_t offset, bytes;
} span;

/* One layer: the output that it reports, all that it may write, and what is read after it. */
typedef struct {
    span output;
    const span *own;
    size_t own_count;
    const span *needed;
    size_t needed_count;
} layer_facts;

static const char *program;
static const layer_facts *facts; /* entry 0 is for the inputs, before the first layer */
static uint8_t *base;
static size_t size;
static uint8_t before[1 << 17];

static int within(const span *spans, size_t count, size_t i)
{
    int found = 0;
    for (size_t n = 0; n < count; n++)
        found |= i >= spans[n].offset && i - spans[n].offset < spans[n].bytes;
    return found;
}

static void spoil(const layer_facts *layer, size_t number)
{
    for (size_t i = 0; i < size; i++) {
        if (!within(layer->needed, layer->needed_count, i))
            base[i] = (uint8_t)(0xA5 ^ (i * 31 + number * 17));
    }
    memcpy(before, base, size);
}

void after_layer(int layer, const void *output, size_t bytes)
{
    const layer_facts *own = facts + layer + 1;
    if ((const uint8_t *)output != base + own->output.offset || bytes != own->output.bytes) {
        fprintf(stderr, "%s: layer %d reports another output\n", program, layer);
        exit(3);
    }
    for (size_t i = 0; i < size; i++) {
        if (base[i] != before[i] && !within(own->own, own->own_count, i)) {
            fprintf(stderr, "%s: layer %d writes arena[%zu], not its own\n", program, layer, i);
            exit(3);
        }
    }
    spoil(own, (size_t)layer + 1);
}
"""


def _main(cases: Sequence[Case]) -> str:
    """Run each program over its inputs, read from stdin in order; write all outputs."""
    assert all(case.program.memory.arena_bytes <= 1 << 17 for case in cases)
    includes = "".join(f'#include "{case.program.name}.h"\n' for case in cases)
    runs = "\n".join(_runner(case) for case in cases)
    calls = "".join(f"    run_{case.program.name}();\n" for case in cases)
    return f"{_WATCH}\n{includes}\n{runs}\nint main(void)\n{{\n{calls}    return 0;\n}}\n"


def _runner(case: Case) -> str:
    program = case.program
    name, graph, offsets = program.name, program.graph, program.memory.tensors
    caller = program.provenance.arena is ArenaKind.CALLER
    arena = f"    static {name}_arena arena;\n" if caller else ""
    argument = "&arena" if caller else ""
    reset = f"    {name}_reset({argument});\n" if graph.states else ""
    reads = "".join(
        f"        if (fread({name}_input_{i}({argument}), 1, {t.nbytes}, stdin) != {t.nbytes})\n"
        f"            exit(4);\n"
        for i, t in enumerate(graph.inputs)
    )
    writes = "".join(
        f"        fwrite({name}_output_{i}({argument}), 1, {t.nbytes}, stdout);\n"
        for i, t in enumerate(graph.outputs)
    )
    codes = [i for i, step in enumerate(program.steps) if step.kernel is not None]
    owned: list[list[Span]] = [[(0, 0)]] + [
        [
            *((offsets[t], t.nbytes) for t in program.steps[i].op.outputs),
            (program.memory.scratch[i], program.steps[i].scratch_bytes),
        ]
        for i in codes
    ]
    base = "(uint8_t *)&arena"
    if not caller:
        ends = (("input", graph.inputs), ("output", graph.outputs))
        shown = [(f"{end}_{i}", t) for end, tensors in ends for i, t in enumerate(tensors)]
        place, tensor = next((end, t) for end, t in shown if not t.is_constant)
        base = f"(uint8_t *)(uintptr_t){name}_{place}() - {offsets[tensor]}"
    spans, rows = "", ""
    for number, lists in enumerate(zip(owned, needed_after(program), strict=True)):
        parts = [_span(lists[0][0])]
        for what, found in zip(("own", "needed"), lists, strict=True):
            listed = ", ".join(_span(s) for s in found) or "{0, 0}"
            spans += f"    static const span {what}{number}[] = {{{listed}}};\n"
            parts += [f"{what}{number}", str(len(found))]
        rows += f"        {{{', '.join(parts)}}},\n"
    return (
        f"static void run_{name}(void)\n{{\n{arena}{spans}"
        f"    static const layer_facts layers[] = {{\n{rows}    }};\n"
        f'    program = "{name}";\n    facts = layers;\n    size = {name.upper()}_ARENA_BYTES;\n'
        f"    base = {base};\n{reset}"
        f"    for (int run = 0; run < {len(case.inputs)}; run++) {{\n{reads}"
        f"        spoil(layers, 0);\n        {name}_invoke({argument});\n{writes}    }}\n}}\n"
    )


def _span(value: Span) -> str:
    return f"{{{value[0]}, {value[1]}}}"
