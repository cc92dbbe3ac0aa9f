"""State: what a model keeps from one invocation to the next, in the graph, in memory and in C."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite

from firmware_tests.kernels.harness import compile_cases, run_native
from firmware_tests.models.edit import edited
from firmware_tests.models.random_states import random_stateful_graph
from firmware_tests.models.writer import to_tflite
from firmware_tests.unit.rewriting import add, constant, image, kinds, like
from tinygen import interpreters, reference
from tinygen.board import Board
from tinygen.board.file import load_board
from tinygen.build.image import build
from tinygen.compile import Options, compile_graph
from tinygen.emit import ArenaKind, Program, emit
from tinygen.errors import ModelError, UnsupportedError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.frontend.tflite import read_model
from tinygen.ir import Activation, Array, Graph, Numerics, Op, State, Tensor
from tinygen.isa import Isa
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.ops.slice import Slice
from tinygen.passes import run_pipeline
from tinygen.run.device import Device, Expected
from tinygen.run.link import LinkLostError
from tinygen.run.native import NativeRunner, PipeLink
from tinygen.select import best
from tinygen.vectors import draw_vectors


def graph_of(
    x: Tensor, ops: Sequence[Op], outputs: Sequence[Tensor], *states: tuple[Tensor, Tensor]
) -> Graph:
    """A graph whose states begin as values drawn from their names."""
    rows = []
    for before, after in states:
        rng = np.random.default_rng(before.name.encode()[0])
        initial = rng.integers(-128, 128, before.shape, np.int8)
        rows.append(State(before, after, initial))
    return Graph("stateful", (x,), tuple(outputs), tuple(ops), tuple(rows))


def window() -> Graph:
    """The last five rows of the input, as streaming models keep them."""
    x, old = image(1, 1, 4, name="x"), image(1, 4, 4, name="a")
    y, new = like(x, 1, 5, 4, name="y"), like(old, name="new")
    ops = (
        Concatenation("join", (old, x), (y,), 1, Activation.NONE),
        Slice("shift", (y,), (new,), (0, 1, 0)),
    )
    return graph_of(x, ops, (y,), (old, new))


def total() -> Graph:
    """A running sum, which overwrites what it is read from, and shows what it was."""
    x, old = image(2, 3, name="x"), image(2, 3, name="a")
    new, seen = like(x, name="new"), like(x, name="seen")
    ops = (add(old, x, new), Reshape("seen", (old,), (seen,)))
    return graph_of(x, ops, (seen,), (old, new))


def delay() -> Graph:
    """y is the input of three invocations ago."""
    x, *old = (image(2, 3, name=name) for name in ("x", "a", "b", "c"))
    y = like(x, name="y")
    moved = list(zip(old, (x, *old), strict=False))
    return graph_of(x, (Relu("y", (old[2],), (y,)),), (y,), *moved)


def swap() -> Graph:
    """Two states change places; the input is added to one of them on its way."""
    x, a, b = (image(2, 3, name=name) for name in ("x", "a", "b"))
    y, new = like(x, name="y"), like(x, name="new")
    ops = (add(a, x, new), add(b, new, y))
    return graph_of(x, ops, (y,), (a, b), (b, new))


def settled() -> Graph:
    """A state that becomes a constant, and one that nothing changes."""
    x, a, b = (image(2, 3, name=name) for name in ("x", "a", "b"))
    y, z = like(x, name="y"), like(x, name="z")
    seven = constant(np.full((2, 3), 7, np.int8), x.quant)
    return graph_of(x, (add(a, x, y), add(b, y, z)), (z,), (a, seven), (b, b))


def twice() -> Graph:
    """One value is what two states become, and an output."""
    x, a, b = (image(2, 3, name=name) for name in ("x", "a", "b"))
    y, z = like(x, name="y"), like(x, name="z")
    return graph_of(x, (add(a, x, y), add(b, y, z)), (z,), (a, z), (b, z))


GRAPHS = (window, total, delay, swap, settled, twice)


def outputs_of(graph: Graph, vectors: Sequence[Sequence[Array]]) -> list[bytes]:
    return [b"".join(o.tobytes() for o in row) for row in reference.run_all(graph, vectors)]


@pytest.mark.parametrize("make", GRAPHS)
def test_passes_keep_what_every_invocation_of_a_sequence_returns(make: Callable[[], Graph]) -> None:
    graph = make()
    vectors = draw_vectors(graph, 10, seed=3).inputs
    after = run_pipeline(graph)
    assert [s.before for s in after.states] == [s.before for s in graph.states]
    assert outputs_of(after, vectors) == outputs_of(graph, vectors)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
@pytest.mark.parametrize("make", GRAPHS)
def test_both_interpreters_keep_variables_alike(
    make: Callable[[], Graph], numerics: Numerics
) -> None:
    graph, data = make(), to_tflite(make())
    read = read_model(data, "stateful.tflite", numerics)
    vectors = draw_vectors(graph, 10, seed=4).inputs
    stacked = [np.stack(column) for column in zip(*vectors, strict=True)]
    rows = zip(*interpreters.ask_reference(data, stacked, numerics), strict=True)
    want = [b"".join(o.tobytes() for o in row) for row in rows]
    assert outputs_of(read, vectors) == want
    assert outputs_of(run_pipeline(read), vectors) == want


def random_graphs(first: int, count: int) -> list[Graph]:
    found = (random_stateful_graph(s, list(Numerics)[s % 2]) for s in range(first, first + count))
    return [graph for graph in found if graph is not None]


def test_passes_keep_the_sequences_of_random_graphs() -> None:
    graphs = random_graphs(0, 60)
    assert len(graphs) >= 15
    for graph in graphs:
        vectors = draw_vectors(graph, 8, seed=8).inputs
        after = run_pipeline(graph)
        assert outputs_of(after, vectors) == outputs_of(graph, vectors), f"{graph}\n\n{after}"


def test_compiled_random_graphs_keep_their_sequences() -> None:
    for number, graph in enumerate(random_graphs(100, 24)):
        options = Options(name="stateful", arena=list(ArenaKind)[number % 2])
        vectors = draw_vectors(graph, 8, seed=9).inputs
        program = compile_cases(graph, Isa.ANY, options, best)
        got = [b"".join(o.tobytes() for o in row) for row in run_native(program, vectors)]
        assert got == outputs_of(graph, vectors), f"{graph}\n\n{program.graph}"


def test_a_streaming_window_needs_no_copy() -> None:
    assert kinds(run_pipeline(window())) == ["CONCATENATION", "SLICE"]


def test_only_what_is_still_read_is_stored_aside() -> None:
    assert kinds(run_pipeline(total())).count("STORE") == 2  # the output, and the sum
    assert kinds(run_pipeline(twice())).count("STORE") == 1  # one buffer cannot be two


def compiled(graph: Graph, arena: ArenaKind = ArenaKind.STATIC) -> Program:
    options = Options(name="stateful", arena=arena)
    return compile_graph(graph, "s.tflite", "0" * 64, "host", Isa.ANY, options)


@pytest.mark.parametrize("make", GRAPHS)
def test_a_state_has_its_bytes_for_itself_from_one_invocation_to_the_next(
    make: Callable[[], Graph],
) -> None:
    program = compiled(make())
    memory, graph = program.memory, program.graph
    for state in graph.states:
        assert memory.tensors[state.before] == memory.tensors[state.after]
        start = memory.tensors[state.before]
        mine = range(start, start + state.before.nbytes)
        kept = [
            b
            for b, offset in zip(memory.plan.buffers, memory.plan.offsets, strict=True)
            if offset in mine or start in range(offset, offset + b.size)
        ]
        assert [(b.first, b.last) for b in kept] == [(-1, len(program.steps))]


@pytest.mark.parametrize("arena", ArenaKind)
@pytest.mark.parametrize("make", [window, swap])
def test_a_new_session_finds_the_state_as_at_first(
    make: Callable[[], Graph], arena: ArenaKind, tmp_path: Path
) -> None:
    board, program = load_board("native"), compiled(make(), arena)
    write_project(program, choose_target(board), tmp_path / "project")
    image_file = build(tmp_path / "project").image
    vectors = draw_vectors(program.graph, 8, seed=5).inputs
    want = outputs_of(make(), vectors)
    with NativeRunner().open(board, image_file) as link:
        device = Device(link)
        for _ in range(2):
            device.connect(Expected(stateful=True))
            rows = [device.run(vector).outputs for vector in vectors]
            assert [b"".join(o.tobytes() for o in row) for row in rows] == want


class Unplugged:
    """A link that is lost once, after ``left`` more requests were sent, and comes back."""

    shared = None
    advice = ""

    def __init__(self, link: PipeLink) -> None:
        self.link = link
        self.left = -1

    def read(self, timeout_s: float) -> bytes:
        if self.left == 0:
            self.left = -1
            raise LinkLostError("the port is gone")
        return self.link.read(timeout_s)

    def write(self, data: bytes) -> None:
        self.left -= self.left > 0
        self.link.write(data)

    def restore(self) -> bool:
        return True


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_a_sequence_that_is_interrupted_is_run_again_from_its_beginning(
    requests: int, window_image: tuple[Board, Path]
) -> None:
    vectors = draw_vectors(window(), 8, seed=6).inputs
    got = {}
    for stateful in (True, False):
        with NativeRunner().open(*window_image) as pipe:
            link, rows = Unplugged(pipe), []
            device = Device(link)
            device.connect(Expected(stateful=stateful))
            for number, vector in enumerate(vectors):
                link.left = requests if number == 4 else -1
                rows.append(device.run(vector).outputs)
        got[stateful] = [b"".join(o.tobytes() for o in row) for row in rows]
    want = outputs_of(window(), vectors)
    assert got[True] == want
    assert got[False] != want, "the link was not lost"


@pytest.fixture(scope="module")
def window_image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, Path]:
    board, directory = load_board("native"), tmp_path_factory.mktemp("window") / "project"
    write_project(compiled(window()), choose_target(board), directory)
    return board, build(directory).image


def test_a_model_without_state_has_nothing_to_reset() -> None:
    x, y = image(2, 3, name="x"), image(2, 3, name="y")
    stateless = emit(compiled(Graph("g", (x,), (y,), (Relu("y", (x,), (y,)),))))
    assert "reset" not in stateless["stateful.h"]
    header = emit(compiled(window(), ArenaKind.CALLER))["stateful.h"]
    assert "void stateful_reset(stateful_arena *arena);" in header
    assert "#define STATEFUL_STATE_BYTES 16" in header


def changed(graph: Graph, change: Callable[[Any], None]) -> bytes:
    return edited(to_tflite(graph), change)


def other_first(model: Any) -> None:
    """CALL_ONCE after the first READ_VARIABLE."""
    operators = model.subgraphs[0].operators
    operators.insert(3, operators.pop(0))


def no_initialization(model: Any) -> None:
    model.subgraphs[0].operators.pop(0)
    model.subgraphs.pop()


def never_assigned(model: Any) -> None:
    no_initialization(model)
    model.subgraphs[0].operators.pop()


def as_input(model: Any) -> None:
    model.subgraphs[0].tensors[0].isVariable = True


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_first, "is not the first thing that the model does"),
        (never_assigned, "the variable 'variable0' never gets a value"),
        (as_input, "tensor 'x' .* is state that outlives an invocation"),
    ],
)
def test_state_that_is_not_compiled_is_named(change: Callable[[Any], None], reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        read_model(changed(window(), change), "m.tflite", Numerics.TFLM)


def test_a_variable_without_a_value_begins_at_its_zero_point() -> None:
    read = read_model(changed(window(), no_initialization), "m.tflite", Numerics.TFLM)
    assert set(read.states[0].initial.ravel().tolist()) == {-128}


def test_a_variable_that_nobody_assigns_is_a_constant() -> None:
    read = read_model(
        changed(window(), lambda model: model.subgraphs[0].operators.pop()),
        "m.tflite",
        Numerics.TFLM,
    )
    assert read.states == ()
    assert run_pipeline(read).states == ()


@pytest.mark.parametrize("kind", ["READ_VARIABLE", "ASSIGN_VARIABLE"])
def test_a_value_of_another_size_than_the_variable_is_an_error(kind: str) -> None:
    def change(model: Any) -> None:
        code = getattr(tflite.BuiltinOperator, kind)
        for op in model.subgraphs[0].operators:
            if model.operatorCodes[op.opcodeIndex].builtinCode == code:
                values = op.outputs if kind == "READ_VARIABLE" else op.inputs[1:]
                model.subgraphs[0].tensors[values[0]].shape = np.array([1, 3, 4], np.int32)

    with pytest.raises(ModelError, match=r"VARIABLE|CONCATENATION|SLICE"):
        read_model(changed(window(), change), "m.tflite", Numerics.TFLM)
