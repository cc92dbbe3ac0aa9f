"""Operators that run graphs of their own, for tests: they count and add up."""

from dataclasses import replace

import numpy as np

from firmware_tests.kernels.tensors import plain, quantized
from tinygen.ir import Activation, Array, DType, Graph, Op, State, Tensor
from tinygen.ops.add import Add
from tinygen.ops.if_then_else import If
from tinygen.ops.less import Less
from tinygen.ops.while_loop import While

Shape = tuple[int, ...]
SCALE, ZERO = 0.0625, -3


def value(name: str, shape: Shape, data: Array | None = None) -> Tensor:
    """An int8 tensor; all that is added up has one quantization."""
    return quantized(name, shape, SCALE, ZERO, data)


def steps(name: str, x: Tensor, *numbers: int) -> tuple[Op, ...]:
    """x + number + ..., each number in steps of the scale."""
    ops: list[Op] = []
    for index, number in enumerate(numbers):
        step = value(f"{name}_{index}_step", (1,), np.array([number + ZERO], np.int8))
        y = value(f"{name}_{index}", x.shape)
        ops.append(Add(y.name, (x, step), (y,), Activation.NONE))
        x = y
    return tuple(ops)


def branch(name: str, shape: Shape, *numbers: int) -> Graph:
    """Adds ``numbers`` to its second input, and hands on its first."""
    flag, x = plain(f"{name}_flag", (1,), DType.BOOL), value(f"{name}_x", shape)
    ops = steps(name, x, *numbers)
    return Graph(name, (flag, x), (flag, ops[-1].y if ops else x), ops)


def if_op(name: str, shape: Shape, *, nested: bool = False) -> If:
    """y = x + 3 if the first flag holds, else x - 5 + 1 - or, ``nested``, another IF."""
    condition, flag = (plain(f"{name}_{n}", (1,), DType.BOOL) for n in ("condition", "flag"))
    otherwise = branch(f"{name}_else", shape, -5, 1)
    if nested:
        flag_in, x_in = otherwise.inputs
        inner = if_op(f"{name}_inner", shape)
        inner = If(inner.name, (flag_in, flag_in, x_in), inner.outputs, inner.graphs)
        otherwise = Graph(otherwise.name, otherwise.inputs, inner.outputs, (inner,))
    outputs = (plain(f"{name}_handed", (1,), DType.BOOL), value(f"{name}_y", shape))
    graphs = (branch(f"{name}_then", shape, 3), otherwise)
    return If(outputs[0].name, (condition, flag, value(f"{name}_x", shape)), outputs, graphs)


def while_op(name: str, shape: Shape, *, nested: bool = False) -> While:
    """n counts to 100 by sixes while x has n added each time; the third variable never changes.

    ``nested`` lets another loop count.
    """
    n, x, kept = value(f"{name}_n", (1,)), value(f"{name}_x", shape), value(f"{name}_k", (3,))
    limit = value(f"{name}_limit", (1,), np.array([100], np.int8))
    holds = plain(f"{name}_holds", (1,), DType.BOOL)
    y = value(f"{name}_sum", shape)
    ops: list[Op] = [
        Less(holds.name, (n, limit), (holds,)),
        Add(y.name, (x, n), (y,), Activation.NONE),
        *steps(name, n, 6),
    ]
    after = ops[-1].y
    if nested:
        inner = while_op(f"{name}_inner", shape)
        inner = While(inner.name, (after, y, kept), inner.outputs, inner.graphs)
        ops.append(inner)
        y = inner.outputs[1]
    states = tuple(
        State(before, then, np.zeros(before.shape, np.int8))
        for before, then in ((n, after), (x, y), (kept, kept))
    )
    loop = Graph(name, (), (holds,), tuple(ops), states)
    inputs = tuple(value(f"{name}_{i}", t.shape) for i, t in zip("abc", (n, x, kept), strict=True))
    outputs = tuple(value(f"{name}_{i}", t.shape) for i, t in zip("def", (n, x, kept), strict=True))
    return While(outputs[0].name, inputs, outputs, (loop,))


def branching(graph: Graph, otherwise: Graph) -> Graph:
    """``graph`` if a condition holds, else ``otherwise``, which has the same inputs and outputs."""
    name = f"{graph.name}_if"
    condition = plain(f"{name}_condition", (), DType.BOOL)
    given = tuple(replace(t, name=f"{name}_{t.name}") for t in graph.inputs)
    outputs = tuple(replace(t, name=f"{name}_{i}", data=None) for i, t in enumerate(graph.outputs))
    op = If(outputs[0].name, (condition, *given), outputs, (graph, otherwise))
    return Graph(name, (condition, *given), outputs, (op,))


def condition_of(loop: Graph) -> Graph:
    """The condition of a WHILE, as its own subgraph."""
    needed = set(loop.outputs)
    ops = []
    for op in reversed(loop.ops):
        if needed.intersection(op.outputs):
            needed.update(op.inputs)
            ops.append(op)
    before = tuple(state.before for state in loop.states)
    return Graph(f"{loop.name}_condition", before, loop.outputs, tuple(reversed(ops)))


def body_of(loop: Graph) -> Graph:
    """The body of a WHILE, as its own subgraph."""
    ops = tuple(op for op in loop.ops if op not in condition_of(loop).ops)
    before, after = (tuple(s.before for s in loop.states), tuple(s.after for s in loop.states))
    return Graph(f"{loop.name}_body", before, after, ops)
