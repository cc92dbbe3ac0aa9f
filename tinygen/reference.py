"""Run a graph in numpy, operator by operator: the package's own oracle."""

from collections.abc import Sequence

import numpy as np

from tinygen.ir import Array, Graph, Tensor
from tinygen.ops import definition_of


def evaluate(graph: Graph, inputs: Sequence[Array]) -> dict[Tensor, Array]:
    """Every tensor's value for one set of inputs, in the order of ``graph.inputs``."""
    values: dict[Tensor, Array] = dict(zip(graph.inputs, inputs, strict=True))
    for op in graph.ops:
        arguments = tuple(t.values if t.is_constant else values[t] for t in op.inputs)
        results = definition_of(op).reference(op, arguments)
        for tensor, result in zip(op.outputs, results, strict=True):
            if result.shape != tensor.shape or result.dtype != np.dtype(tensor.dtype.value):
                raise AssertionError(
                    f"reference of {op.kind} '{op.name}' gave {result.dtype}"
                    f"{result.shape} for {tensor}"
                )
            values[tensor] = result
    return values


def run(graph: Graph, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """The graph's outputs for one set of inputs."""
    values = evaluate(graph, inputs)
    return tuple(t.values if t.is_constant else values[t] for t in graph.outputs)
