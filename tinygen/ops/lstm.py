"""The LSTM as an operator of the graph, for the files that compute it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, Numerics, Op, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class UnidirectionalSequenceLstm(Op):
    """The LSTM without peepholes, projection and layer normalization; s is the sigmoid:

        i, f, o = s(W x + R h + b) with weights of their own each, g = tanh(W x + R h + b)
        c := clip(f c + i g),  h := o tanh(c)

    ``inputs`` are x [batch, time, features] or, if ``time_major``, [time, batch, features], the
    states h and c of batch * units elements, then W [units, features], R [units, units] and b
    [units], each four times: for i, f, g, o. The results are every h, as x is ordered, and the
    states after the last frame. A ``cell_clip`` above 0 bounds c.
    """

    kind: ClassVar[str] = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 1), (2, 2))

    time_major: bool
    cell_clip: float
    numerics: Numerics = Numerics.TFLM

    @property
    def hidden(self) -> Tensor:
        """The last answers."""
        return self.inputs[1]

    @property
    def cell(self) -> Tensor:
        """What the layer remembers."""
        return self.inputs[2]

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Of the input, by gate."""
        return self.inputs[3:7]

    @property
    def recurrent(self) -> tuple[Tensor, ...]:
        """Of the hidden state, by gate."""
        return self.inputs[7:11]

    @property
    def biases(self) -> tuple[Tensor, ...]:
        """By gate."""
        return self.inputs[11:15]

    @property
    def batches(self) -> int:
        """Sequences side by side."""
        return self.x.shape[1 if self.time_major else 0]

    @property
    def steps(self) -> int:
        """Frames of one sequence."""
        return self.x.shape[0 if self.time_major else 1]

    @property
    def units(self) -> int:
        """Elements of one answer."""
        return self.weights[0].shape[0]


def by_unit(tensors: Sequence[Tensor]) -> Array:
    """The values of four gates' tensors, unit by unit, the four beside each other."""
    return np.stack([t.values for t in tensors], axis=1)


def frames(op: UnidirectionalSequenceLstm, x: Array) -> Array:
    """``x`` with time first."""
    return x if op.time_major else x.swapaxes(0, 1)


def geometry(op: UnidirectionalSequenceLstm) -> tuple[tuple[str, int], ...]:
    """The fields of ``tg_lstm_shape``."""
    return (
        ("batches", op.batches),
        ("steps", op.steps),
        ("inputs", op.x.shape[2]),
        ("units", op.units),
        ("step_rows", op.batches if op.time_major else 1),
        ("batch_rows", 1 if op.time_major else op.steps),
    )
