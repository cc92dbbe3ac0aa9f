"""Random graphs of several operators: file, front end, oracle, interpreters, passes, plan, C.

For more of them: ``python -m firmware_tests.models.random_graphs --minutes 10``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.tensors import quantized
from firmware_tests.kernels.whole_graphs import Case, check_natively, checked_case, needed_after
from firmware_tests.models.damage import damaged
from firmware_tests.models.hunting import shrunk_graph, symptom
from firmware_tests.models.random_graphs import random_graph
from tinygen.compile import Options, compile_graph
from tinygen.ir import Graph, Numerics, Op, Tensor
from tinygen.isa import Isa
from tinygen.ops import OPS
from tinygen.ops.control import Control
from tinygen.ops.relu import Relu, Relu6
from tinygen.ops.signal import SignalOp
from tinygen.ops.tanh import Tanh
from tinygen.reference import run
from tinygen.vectors import draw_vectors

NATIVE_SEEDS = range(60)
GROUP = 6
DAMAGED_SEEDS = (0, 3, 4, 6, 66, 85, 180, 203)
AGREEMENT_SEEDS = range(1000, 1120)
# Drawn by themselves only, in ``firmware_tests.conformance``: most have no kernel for int8.
ALONE = {
    "ATAN2", "CEIL", "COS", "FLOOR", "GELU", "L2_POOL_2D", "LOG", "NEG", "POW", "RANK",
    "RELU_0_TO_1", "ROUND", "SIGN", "SIN", "SQRT", "SQUARE",
}  # fmt: skip


@pytest.mark.parametrize("first", NATIVE_SEEDS[::GROUP])
def test_a_compiled_graph_gives_the_oracles_bytes(first: int) -> None:
    # Each seed with one numerics, so that all of them meet every combination of options.
    pairs = [(s, list(Numerics)[s // GROUP % 2]) for s in range(first, first + GROUP)]
    check_natively([checked_case(random_graph(s, n, most_ops=8), s, n) for s, n in pairs])


def test_a_compiled_graph_whose_channels_are_damaged_gives_the_oracles_bytes() -> None:
    cases = []
    for seed in DAMAGED_SEEDS:
        numerics = list(Numerics)[seed % 2]
        graph = damaged(random_graph(seed, numerics, most_ops=14), seed)
        case = checked_case(graph, seed, numerics, ask=False)
        cases.append(case)
    check_natively(cases)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
def test_the_oracle_gives_the_interpreters_bytes(numerics: Numerics) -> None:
    for seed in AGREEMENT_SEEDS:
        checked_case(random_graph(seed, numerics), seed, numerics)


def test_every_operator_occurs() -> None:
    graphs = [random_graph(s, n, most_ops=8) for s in NATIVE_SEEDS for n in Numerics]
    graphs += [random_graph(s, n) for s in AGREEMENT_SEEDS for n in Numerics]
    kinds = Counter(op.kind for graph in graphs for op in graph.ops)
    drawn = (d.op for d in OPS if not d.op.updates and not issubclass(d.op, (Control, SignalOp)))
    assert set(kinds) == {op.kind for op in drawn} - ALONE


def test_a_seed_always_gives_the_same_graph() -> None:
    first, second = (random_graph(7, Numerics.TFLM) for _ in range(2))
    assert str(first) == str(second)


def chain() -> Graph:
    """RELU, TANH and RELU6, the middle one needed to the end."""
    x, a, c = (quantized(name, (32,), 0.1, 0) for name in "xac")
    b = quantized("b", (32,), 1 / 128, 0)
    ops: Sequence[Op] = (
        Relu("a", (x,), (a,)), Tanh("b", (a,), (b,)), Relu6("c", (a,), (c,)),
    )  # fmt: skip
    return Graph("chain", (x,), (b, c), tuple(ops))


def test_what_a_later_layer_reads_is_needed() -> None:
    case = case_of(chain())
    places = case.program.memory.tensors
    x, (b, c), a = case.program.graph.inputs[0], case.program.graph.outputs, chain_middle(case)
    assert [sorted(spans) for spans in needed_after(case.program)] == [
        [(places[x], 32)],
        [(places[a], 32)],
        sorted([(places[a], 32), (places[b], 32)]),
        sorted([(places[b], 32), (places[c], 32)]),
    ]


def test_a_layer_that_writes_over_a_live_tensor_is_caught() -> None:
    case = case_of(chain())
    memory = case.program.memory
    broken = dict(memory.tensors)
    broken[case.program.graph.outputs[0]] = memory.tensors[chain_middle(case)]
    program = replace(case.program, memory=replace(memory, tensors=broken))
    check_natively([case])
    with pytest.raises(AssertionError):
        check_natively([replace(case, program=program)])


def test_a_failing_graph_shrinks_to_what_fails() -> None:
    graph = random_graph(3, Numerics.TFLM)
    kind = graph.ops[len(graph.ops) // 2].kind

    def fails(candidate: Graph) -> bool:
        return any(op.kind == kind for op in candidate.ops)

    small = shrunk_graph(graph, fails)
    assert [op.kind for op in small.ops] == [kind]
    assert len(small.outputs) == 1
    assert symptom("AssertionError: ADD 't3' vector 1: 4 of 6") == "AssertionError: ADD "


def test_a_constant_is_an_output_as_any_other() -> None:
    graph = chain()
    c = quantized("k", (3,), 0.1, 0, np.array([1, 2, 3], np.int8))
    check_natively([case_of(replace(graph, outputs=(c, *graph.outputs, c)))])


def chain_middle(case: Case) -> Tensor:
    """The tensor between the first RELU and its two readers, as compiled."""
    return case.program.graph.ops[0].y


def case_of(graph: Graph) -> Case:
    inputs = draw_vectors(graph, 7, 0).inputs
    program = compile_graph(graph, "chain.tflite", "0" * 64, "host", Isa.ANY, Options())
    return Case(program, inputs, [run(graph, vector) for vector in inputs])
