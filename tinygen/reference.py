"""Run a graph in numpy, operator by operator: the package's own oracle."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tinygen.ir import Array, Graph, Tensor
from tinygen.ops import definition_of


def evaluate(
    graph: Graph, inputs: Sequence[Array], states: Sequence[Array] | None = None
) -> dict[Tensor, Array]:
    """Every tensor's value for one set of inputs, in the order of ``graph.inputs``.

    ``states`` are what ``graph.states`` hold before; None is their initial values.
    """
    if states is None:
        states = [state.initial for state in graph.states]
    values: dict[Tensor, Array] = dict(zip(graph.sources, (*inputs, *states), strict=True))
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
    """The graph's outputs for one set of inputs, its states being as they are at first."""
    return run_all(graph, [inputs])[0]


def run_all(graph: Graph, vectors: Sequence[Sequence[Array]]) -> list[tuple[Array, ...]]:
    """The graph's outputs for each of ``vectors``, which are one sequence of invocations."""
    return [
        tuple(value_of(values, t) for t in graph.outputs) for values in evaluate_all(graph, vectors)
    ]


def evaluate_all(graph: Graph, vectors: Sequence[Sequence[Array]]) -> Iterator[dict[Tensor, Array]]:
    """As ``evaluate``, for each of ``vectors``, which are one sequence of invocations."""
    states = [state.initial for state in graph.states]
    for inputs in vectors:
        values = evaluate(graph, inputs, states)
        states = [value_of(values, state.after) for state in graph.states]
        yield values


def value_of(values: Mapping[Tensor, Array], tensor: Tensor) -> Array:
    """What a tensor holds, constant or computed."""
    return tensor.values if tensor.is_constant else values[tensor]
