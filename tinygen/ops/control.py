"""What IF and WHILE share: operators that run graphs of their own.

An inner graph sees nothing but what it is handed: the values are copied into its memory, which is
scratch of the operator, and its results are copied out. Only the operators that are run cost time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from tinygen.errors import ModelError, UnsupportedError
from tinygen.ir import DType, Graph, Op, Tensor, with_tensors
from tinygen.ops.base import Call, Kernel, Node, describe


@dataclass(frozen=True, slots=True, eq=False)
class Control(Op):
    """An operator with graphs inside; what they mean, the subclass says."""

    is_loop: ClassVar[bool] = False

    graphs: tuple[Graph, ...] = ()

    def entries(self, graph: Graph) -> tuple[tuple[Tensor, Tensor], ...]:
        """What is copied into the memory of ``graph``: tensors outside, and theirs inside.

        The last inputs are what the graph is handed, as its inputs or its states.
        """
        handed = self.inputs[len(self.inputs) - len(graph.sources) :]
        return tuple(zip(handed, graph.sources, strict=True))

    def exits(self, graph: Graph) -> tuple[tuple[Tensor, Tensor], ...]:
        """What is copied out of it: tensors inside, and theirs outside.

        The variables of a loop, which are its states, end as the results; a branch has outputs.
        """
        ends = tuple(s.before for s in graph.states) if self.is_loop else graph.outputs
        return tuple(zip(ends, self.outputs, strict=True))


def read_graph(node: Node, index: int, what: str) -> Graph:
    """Subgraph ``index`` of the file.

    Raises ModelError where there is none, UnsupportedError where it is not pure.
    """
    graph = node.subgraph(index)
    if graph.states:
        state = graph.states[0].before.name
        raise UnsupportedError(
            f"{node.kind} '{node.name}': its {what} keeps state in '{state}'.",
            "Read and assign variables outside of it.",
        )
    return graph


def check_alike(
    node: Node, what: str, given: tuple[Tensor, ...], wanted: tuple[Tensor, ...]
) -> None:
    """Check that each of ``given`` has the bytes of its counterpart. Raises ModelError."""
    pairs = zip(given, wanted, strict=False)
    if len(given) != len(wanted):
        raise ModelError(
            f"{node.kind} '{node.name}': {len(given)} tensors stand against {len(wanted)} {what}"
        )
    for mine, theirs in pairs:
        if (mine.elements, mine.dtype) != (theirs.elements, theirs.dtype):
            raise ModelError(
                f"{node.kind} '{node.name}': {describe(mine)} stands against "
                f"{describe(theirs)} of the {what}"
            )


def check_condition(node: Node, condition: Tensor) -> None:
    """Check that ``condition`` is one truth value. Raises ModelError."""
    if condition.dtype is not DType.BOOL or condition.elements != 1:
        raise ModelError(
            f"{node.kind} '{node.name}': the condition is {describe(condition)}, not one bool"
        )


def substituted(graph: Graph, by: Mapping[Tensor, Tensor]) -> Graph:
    """``graph`` with tensors replaced, its inputs among them; inputs that become constants go."""
    outputs = tuple(by.get(t, t) for t in graph.outputs)
    ops = tuple(with_tensors(op, by) for op in graph.ops)
    inputs = tuple(t for t in (by.get(t, t) for t in graph.inputs) if not t.is_constant)
    return replace(graph, inputs=inputs, outputs=outputs, ops=ops)


def with_constants(graph: Graph, given: tuple[Tensor, ...]) -> Graph:
    """``graph`` with those of the ``given`` that are constants in the place of its inputs."""
    pairs = zip(graph.inputs, given, strict=True)
    return substituted(
        graph,
        {
            inner: replace(inner, data=outer.values.reshape(inner.shape))
            for inner, outer in pairs
            if outer.is_constant
        },
    )


def graphs_within(graph: Graph) -> Iterator[Graph]:
    """The graphs that operators of ``graph`` run, and those within them."""
    for op in graph.ops:
        for inner in op.graphs if isinstance(op, Control) else ():
            yield inner
            yield from graphs_within(inner)


def inner_macs(graph: Graph) -> int:
    """Multiply-accumulates of one run of ``graph``."""
    from tinygen.ops import definition_of

    return sum(definition_of(op).macs(op) for op in graph.ops)


def lower(op: Control) -> tuple[Call, ...]:
    """No kernel: the emitter writes the inner graphs' calls."""
    del op
    return ()


# What stands in the table for the code that the emitter writes.
CONTROL: Kernel[Any] = Kernel("tg_control", "tg_types.h", "tg_control", lower)
