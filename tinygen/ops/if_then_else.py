"""IF: one of two graphs."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ir import Array, DType, Tensor
from tinygen.ops.base import Node, OpDef
from tinygen.ops.control import (
    CONTROL,
    Control,
    check_alike,
    check_condition,
    inner_macs,
    read_graph,
    with_constants,
)


@dataclass(frozen=True, slots=True, eq=False)
class If(Control):
    """y = then(x...) if condition else otherwise(x...); ``graphs`` are the two.

    ``inputs`` are the condition and what both graphs are handed.
    """

    kind: ClassVar[str] = "IF"

    @property
    def condition(self) -> Tensor:
        """One bool."""
        return self.inputs[0]


def parse(node: Node) -> If:
    """Read the node. Constants go into the graphs.

    Raises ModelError where tensors do not go together, UnsupportedError as the subgraphs do.
    """
    import tflite

    node.arity(range(1, len(node.inputs) + 1), len(node.outputs))
    options = node.options(tflite.IfOptions)
    condition, *given = node.present
    check_condition(node, condition)
    graphs = []
    for index, what in (
        (options.ThenSubgraphIndex(), "branch 'then'"),
        (options.ElseSubgraphIndex(), "branch 'else'"),
    ):
        graph = read_graph(node, index, what)
        check_alike(node, f"inputs of the {what}", tuple(given), graph.inputs)
        check_alike(node, f"outputs of the {what}", node.outputs, graph.outputs)
        graphs.append(with_constants(graph, tuple(given)))
    handed = tuple(t for t in given if not t.is_constant)
    return If(node.name, (condition, *handed), node.outputs, tuple(graphs))


def reference(op: If, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's if.cc: copies in, one of the subgraphs, copies out."""
    from tinygen.reference import run

    condition, *given = values
    graph = op.graphs[0] if condition.reshape(()) else op.graphs[1]
    handed = [a.reshape(t.shape) for a, t in zip(given, graph.inputs, strict=True)]
    results = run(graph, handed)
    return tuple(a.reshape(t.shape) for a, t in zip(results, op.outputs, strict=True))


def macs(op: If) -> int:
    """Those of the longer branch."""
    return max(map(inner_macs, op.graphs))


IF = OpDef(
    op=If,
    dtypes=(DType.BOOL,),
    parse=parse,
    rules=(),
    reference=reference,
    kernels=(CONTROL,),
    macs=macs,
)
