"""Small graphs of operators that keep state, and of those that run graphs of their own."""

from dataclasses import replace

import numpy as np

from firmware_tests.kernels.harness import graph_of
from firmware_tests.kernels.tensors import constant
from firmware_tests.models.controls import if_op, while_op
from firmware_tests.models.parts import SEED, activation, bias
from firmware_tests.models.random_signal import EXACT, FLOAT, WAITING, drawn
from tinygen.ir import DType, Graph, QuantParams, State, Tensor
from tinygen.ops.circular_buffer import CircularBuffer
from tinygen.ops.lstm import UnidirectionalSequenceLstm
from tinygen.ops.reshape import Reshape
from tinygen.ops.svdf import Svdf


def svdf() -> Graph:
    """Two units of two filters over the last three frames, without bias."""
    rng = np.random.default_rng(SEED)
    x, y = activation("x", (1, 5)), activation("y", (1, 2))
    quant = QuantParams((float(np.float32(1e-3)),), (0,))
    before, after = (Tensor(name, (1, 12), DType.INT16, quant) for name in ("s", "s/after"))
    feature = constant("feature", (4, 5), 0.02, 0, rng)
    values = rng.integers(-999, 999, (4, 3)).astype(np.int16)
    op = Svdf(
        "y", (x, before, feature, Tensor("time", (4, 3), DType.INT16, quant, values)), (y, after), 2
    )
    state = State(before, after, np.zeros(before.shape, np.int16))
    return Graph("svdf", (x,), (y,), (op,), (state,))


def branches() -> Graph:
    """One of two branches, one of which branches again."""
    return graph_of([if_op("if", (2, 3), nested=True)], "branches")


def rounds() -> Graph:
    """A loop within a loop."""
    return graph_of([while_op("while", (3,), nested=True)], "rounds")


def buffered(slots: int = 4) -> Graph:
    """The last slots of 2x3, as one vector."""
    x = activation("x", (1, 1, 2, 3))
    before, y = activation("slots", (1, slots, 2, 3)), activation("y", (1, 6 * slots))
    after = replace(before, name="slots/after")
    ops = (CircularBuffer("slots", (x, before), (after,)), Reshape("y", (after,), (y,)))
    initial = np.full(before.shape, before.zero_point, np.int8)
    return Graph("buffered", (x,), (y,), ops, (State(before, after, initial),))


def lstm() -> Graph:
    """Two units over three frames of four features, with a cell clip."""
    rng = np.random.default_rng(SEED)
    x, y = activation("x", (1, 3, 4)), activation("y", (1, 3, 2), 1 / 128, 0)
    fine = QuantParams((2.0**-12,), (0,))
    hidden, cell = activation("h", (1, 2), 1 / 128, 0), Tensor("c", (1, 2), DType.INT16, fine)
    after = [replace(t, name=f"{t.name}/after") for t in (hidden, cell)]
    gates = (
        *(constant(f"w{i}", (2, 4), 0.02, 0, rng) for i in range(4)),
        *(constant(f"r{i}", (2, 2), 0.02, 0, rng) for i in range(4)),
        *(bias(f"b{i}", 2) for i in range(4)),
    )
    op = UnidirectionalSequenceLstm("y", (x, hidden, cell, *gates), (y, *after), False, 2.0)
    states = tuple(
        State(before, t, np.zeros(before.shape, t.dtype.numpy))
        for before, t in zip((hidden, cell), after, strict=True)
    )
    return Graph("lstm", (x,), (y,), (op,), states)


def audio() -> Graph:
    """Every operator of the audio front end, each for itself."""
    return graph_of(drawn(EXACT | WAITING | FLOAT, 1), "audio")
