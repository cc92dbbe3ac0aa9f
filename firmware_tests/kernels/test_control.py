"""IF and WHILE: operators that run graphs of their own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tflite

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.tensors import plain
from firmware_tests.kernels.whole_graphs import check_natively, checked_case
from firmware_tests.models.controls import branching, if_op, while_op
from firmware_tests.models.damage import damaged
from firmware_tests.models.edit import edited, schema
from firmware_tests.models.random_graphs import random_graph
from firmware_tests.models.writer import to_tflite
from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import DType, Graph, Numerics, Op
from tinygen.ops.control import Control
from tinygen.ops.if_then_else import If
from tinygen.passes import run_pipeline
from tinygen.reference import run

CASES: tuple[Op, ...] = (
    if_op("if", (2, 5)),
    if_op("if_nested", (3,), nested=True),
    while_op("while", (2, 3)),
    while_op("while_nested", (5,), nested=True),
)
IDS = [op.name for op in CASES]
SEEDS = (1, 2, 5, 8)


def test_every_row_gives_the_references_bytes() -> None:
    check_native(CASES)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
def test_the_reference_is_the_interpreters(numerics: Numerics) -> None:
    for op in CASES:  # a file has its subgraphs' tensors by name
        assert_interpreter_agrees([op], numerics)


@pytest.mark.parametrize("op", CASES, ids=IDS)
def test_a_file_gives_the_operator(op: Op) -> None:
    graph = graph_of([op])
    assert str(read_model(to_tflite(graph), "cases.tflite", Numerics.TFLM)) == str(graph)


def test_random_graphs_run_as_branches() -> None:
    cases = []
    for seed in SEEDS:
        graph = random_graph(seed, Numerics.TFLM, most_ops=8)
        branches = branching(graph, replace(damaged(graph, seed), name=f"{graph.name}_damaged"))
        cases.append(checked_case(branches, seed, Numerics.TFLM))
    check_natively(cases)


def test_only_one_branch_and_only_the_rounds_that_hold_are_run() -> None:
    (loop,) = (op for op in CASES if op.name == "while_d")
    n, x, kept = (
        np.full(t.shape, v, np.int8) for t, v in zip(loop.inputs, (99, 1, 2), strict=True)
    )
    assert [a.flat[0] for a in run(graph_of([loop]), (n, x, kept))] == [105, 103, 2]
    n[:] = 100
    assert [a.flat[0] for a in run(graph_of([loop]), (n, x, kept))] == [100, 1, 2]


def test_a_loop_without_end_is_an_error_of_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygen.ops.while_loop.MOST_ROUNDS", 100)
    loop = while_op("endless", (1,))
    (graph,) = loop.graphs
    states = tuple(replace(state, after=state.before) for state in graph.states)
    endless = replace(loop, graphs=(replace(graph, states=states),))
    n, x, kept = (np.zeros(t.shape, np.int8) for t in loop.inputs)
    with pytest.raises(UnsupportedError, match="has not ended"):
        run(graph_of([endless]), (n, x, kept))


def inside(graph: Graph) -> tuple[Graph, ...]:
    """What the first operator runs."""
    op = graph.ops[0]
    assert isinstance(op, Control)
    return op.graphs


def test_constants_reach_the_branches_and_what_follows_from_them_is_folded() -> None:
    op = if_op("constant", (4,))
    given = replace(op.inputs[2], data=np.full((4,), 7, np.int8))
    graph = graph_of([replace(op, inputs=(*op.inputs[:2], given))])
    read = read_model(to_tflite(graph), "cases.tflite", Numerics.TFLM)
    assert [len(inner.inputs) for inner in inside(read)] == [1, 1]
    assert [inner.ops for inner in inside(run_pipeline(read))] == [(), ()]
    check_native([replace(op, inputs=(*op.inputs[:2], given))])


def test_a_loop_of_constants_runs_on_the_device() -> None:
    loop = while_op("known", (2,))
    n = replace(loop.inputs[0], data=np.zeros((1,), np.int8))
    counted = replace(loop, inputs=(n, *loop.inputs[1:]))
    check_native([counted])


def test_a_constant_condition_does_not_run_an_endless_loop_when_compiling() -> None:
    loop = while_op("endless", (1,))
    given = tuple(replace(t, data=np.zeros(t.shape, np.int8)) for t in loop.inputs)
    branch = Graph("branch", (), loop.outputs, (replace(loop, inputs=given),))
    condition = replace(plain("c", (1,), DType.BOOL), data=np.ones((1,), np.bool_))
    outputs = tuple(replace(t, name=f"{t.name}_out") for t in loop.outputs)
    graph = Graph("g", (), outputs, (If("if", (condition,), outputs, (branch, branch)),))
    (op,) = run_pipeline(graph).ops
    assert isinstance(op, If)


def test_variables_inside_of_a_branch_are_refused() -> None:
    """The assignment would be lost: a branch has no state of its own."""

    def change(model: Any) -> None:
        classes, branch = schema(), model.subgraphs[1]
        handle = classes.TensorT()
        handle.name, handle.shape, handle.type = b"handle", [], tflite.TensorType.RESOURCE
        branch.tensors.append(handle)
        number, x = len(branch.tensors) - 1, branch.inputs[1]
        steps: tuple[tuple[str, list[int], list[int]], ...] = (
            ("VAR_HANDLE", [], [number]),
            ("ASSIGN_VARIABLE", [number, x], []),
        )
        for kind, inputs, outputs in steps:
            code, op = classes.OperatorCodeT(), classes.OperatorT()
            code.builtinCode = getattr(tflite.BuiltinOperator, kind)
            op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes), inputs, outputs
            model.operatorCodes.append(code)
            branch.operators.append(op)

    data = edited(to_tflite(graph_of([if_op("if", (4,))])), change)
    with pytest.raises(UnsupportedError, match="reads or assigns variables in a subgraph"):
        read_model(data, "cases.tflite", Numerics.TFLM)


def with_then(change: Callable[[Graph], Graph]) -> Op:
    """An IF whose first branch is another."""
    op = if_op("other", (2,))
    return replace(op, graphs=(change(op.graphs[0]), op.graphs[1]))


@pytest.mark.parametrize(
    ("op", "found"),
    [
        (with_then(lambda g: replace(g, outputs=g.outputs[:1])), "2 tensors stand against 1"),
        (with_then(lambda g: replace(g, outputs=(g.outputs[1], g.outputs[0]))), "stands against"),
    ],
)
def test_branches_that_do_not_fit_are_an_error(op: Op, found: str) -> None:
    with pytest.raises(ModelError, match=found):
        read_model(to_tflite(graph_of([op])), "cases.tflite", Numerics.TFLM)
