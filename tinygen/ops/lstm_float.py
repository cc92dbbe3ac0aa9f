"""The LSTM on float32."""

import numpy as np

from tinygen.ir import Array
from tinygen.ops.base import Call, Kernel
from tinygen.ops.lstm import UnidirectionalSequenceLstm, by_unit, frames, geometry

# Beyond, TFLite's sigmoid is 1 and exp(x).
SIGMOID_END, SIGMOID_TAIL = np.float32(16.619047), np.float32(-9)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), as TFLite's float kernel has it. Source: reference_ops::Logistic."""
    with np.errstate(over="ignore"):
        middle = np.float32(1) / (np.float32(1) + np.exp(-x))
        return np.where(
            x > SIGMOID_END, np.float32(1), np.where(x < SIGMOID_TAIL, np.exp(x), middle)
        )


def reference(op: UnidirectionalSequenceLstm, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """All in float32; sums in numpy's order."""
    x, hidden, cell = values[:3]
    h = hidden.reshape(op.batches, op.units).astype(np.float32)
    c = cell.reshape(op.batches, op.units).astype(np.float32)
    clip = np.float32(op.cell_clip)
    answers = []
    for frame in frames(op, x):
        i, f, g, o = (
            (frame @ w.values.T + b.values) + h @ r.values.T
            for w, r, b in zip(op.weights, op.recurrent, op.biases, strict=True)
        )
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        if clip > 0:
            c = np.clip(c, -clip, clip)
        h = np.tanh(c) * sigmoid(o)
        answers.append(h)
    y = np.stack(answers, axis=0 if op.time_major else 1).astype(np.float32)
    return y, h.reshape(hidden.shape), c.reshape(cell.shape)


def lower(op: UnidirectionalSequenceLstm) -> tuple[Call, ...]:
    """The call of ``tg_lstm_f32``."""
    params = (
        ("input", by_unit(op.weights)),
        ("recurrent", by_unit(op.recurrent)),
        ("bias", by_unit(op.biases)),
        ("clip", op.cell_clip if op.cell_clip > 0 else float(np.finfo(np.float32).max)),
    )
    return (Call(geometry(op), params, (op.x, op.hidden, op.cell), op.outputs),)


KERNEL: Kernel[UnidirectionalSequenceLstm] = Kernel(
    "tg_lstm_f32", "tg_lstm_f32.h", "tg_lstm_f32", lower
)
