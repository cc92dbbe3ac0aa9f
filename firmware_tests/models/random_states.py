"""Random graphs with state: inputs that become what some tensor of the graph was."""

from dataclasses import replace

import numpy as np

from firmware_tests.models.random_graphs import random_graph
from tinygen.ir import DType, Graph, Numerics, State, Tensor
from tinygen.vectors import draw

MOST_OPS = 8


def random_stateful_graph(seed: int, numerics: Numerics) -> Graph | None:
    """The graph of ``seed`` with its integer inputs, all but the first, as states.

    What follows may be any value alike: another state, an input, a constant, an output, or the same
    value for several. None for a graph that has no such inputs.
    """
    graph, rng = random_graph(seed, numerics, most_ops=MOST_OPS), np.random.default_rng(seed)
    constants = [t for t in graph.outputs if t.is_constant]
    values = [*graph.inputs, *(t for op in graph.ops for t in op.outputs), *constants]
    states = []
    for before in graph.inputs[1:]:
        alike = [t for t in values if _face(t) == _face(before)]
        if before.dtype is not DType.FLOAT32:
            initial = draw(before, "uniform", rng)
            states.append(State(before, alike[int(rng.integers(len(alike)))], initial))
    if not states:
        return None
    kept = {state.before for state in states}
    inputs = tuple(t for t in graph.inputs if t not in kept)
    return replace(graph, inputs=inputs, states=tuple(states))


def _face(tensor: Tensor) -> tuple[tuple[int, ...], DType]:
    return tensor.shape, tensor.dtype
