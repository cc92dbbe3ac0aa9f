"""WHILE: a graph again and again, until a condition no longer holds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError, UnsupportedError
from tinygen.ir import Array, DType, Graph, Op, State, Tensor
from tinygen.ops.base import Node, OpDef
from tinygen.ops.control import (
    CONTROL,
    Control,
    check_alike,
    check_condition,
    inner_macs,
    read_graph,
    substituted,
)
from tinygen.ops.reshape import Reshape

# A loop that the oracle follows no further. Whoever means it to run so long waits for the device.
MOST_ROUNDS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class While(Control):
    """v = x; while condition(v): v = body(v); y = v.

    The one graph holds both: its states are v, what comes after them is body(v), and its one output
    is condition(v), which needs only operators before all those that the body alone needs.
    """

    kind: ClassVar[str] = "WHILE"
    is_loop: ClassVar[bool] = True

    @property
    def loop(self) -> Graph:
        """Condition and body."""
        return self.graphs[0]


def parse(node: Node) -> While:
    """Read the node.

    Raises ModelError where tensors do not go together, UnsupportedError as the subgraphs do.
    """
    import tflite

    node.arity(range(len(node.outputs), len(node.outputs) + 1), len(node.outputs))
    options = node.options(tflite.WhileOptions)
    condition = read_graph(node, options.CondSubgraphIndex(), "condition")
    body = read_graph(node, options.BodySubgraphIndex(), "body")
    given = node.present
    check_alike(node, "outputs", given, node.outputs)
    check_alike(node, "inputs of the condition", given, condition.inputs)
    check_alike(node, "inputs of the body", given, body.inputs)
    check_alike(node, "outputs of the body", given, body.outputs)
    if len(condition.outputs) != 1:
        raise ModelError(
            f"{node.kind} '{node.name}': its condition has {len(condition.outputs)} outputs, not 1"
        )
    check_condition(node, condition.outputs[0])
    loop = _joined(node.name, condition, body)
    return While(node.name, given, node.outputs, (loop,))


def _joined(name: str, condition: Graph, body: Graph) -> Graph:
    """One graph of ``condition`` and ``body``, which see the same variables."""
    variables = tuple(Tensor(t.name, t.shape, t.dtype, t.quant) for t in body.inputs)
    ops: list[Op] = []
    results = []
    for graph in (condition, body):
        by, views = {}, []
        for variable, seen in zip(variables, graph.inputs, strict=True):
            if (variable.shape, variable.quant) == (seen.shape, seen.quant):
                by[seen] = variable
            else:
                views.append(Reshape(f"{seen.name}/seen", (variable,), (seen,)))
        inner = substituted(graph, by)
        ops += [*views, *inner.ops]
        results.append(inner.outputs)
    (holds,), after = results
    states = []
    for variable, value in zip(variables, after, strict=True):
        new = value
        if (value.shape, value.quant) != (variable.shape, variable.quant):
            new = Tensor(f"{variable.name}/next", variable.shape, variable.dtype, variable.quant)
            ops.append(Reshape(new.name, (value,), (new,)))
        states.append(State(variable, new, np.zeros(variable.shape, variable.dtype.numpy)))
    return Graph(name, (), (holds,), tuple(ops), tuple(states))


def reference(op: While, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's while.cc.

    Raises UnsupportedError for a loop that goes on and on.
    """
    from tinygen.reference import evaluate, value_of

    loop = op.loop
    held = [a.reshape(s.before.shape) for a, s in zip(values, loop.states, strict=True)]
    for _ in range(MOST_ROUNDS):
        found = evaluate(loop, (), held)
        if not value_of(found, loop.outputs[0]).reshape(()):
            return tuple(a.reshape(t.shape) for a, t in zip(held, op.outputs, strict=True))
        held = [value_of(found, state.after) for state in loop.states]
    raise UnsupportedError(
        f"{op.kind} '{op.name}' has not ended after {MOST_ROUNDS:,} rounds.",
        "Give it inputs for which it ends.",
    )


def macs(op: While) -> int:
    """Those of one round."""
    return inner_macs(op.loop)


WHILE = OpDef(
    op=While,
    dtypes=(DType.BOOL,),
    subject=lambda op: op.graphs[0].outputs[0],
    parse=parse,
    rules=(),
    reference=reference,
    kernels=(CONTROL,),
    macs=macs,
)
