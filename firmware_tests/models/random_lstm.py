"""LSTMs, drawn: shapes, orders and quantizations."""

from dataclasses import replace

import numpy as np

from firmware_tests.kernels.tensors import any_scale, any_zero_point, float32, plain, quantized
from tinygen.ir import DType, Numerics, Tensor
from tinygen.ops.lstm import UnidirectionalSequenceLstm


def sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Batches, steps, features and units."""
    batches, steps, features, units = (int(n) for n in rng.integers(1, (4, 6, 12, 9)))
    return max(1, batches - 1), steps, features, units


def integer_lstm(index: int, dtype: DType, numerics: Numerics) -> UnidirectionalSequenceLstm:
    """Every other with time first, every third with a cell clip, every fifth saturating a lot."""
    rng = np.random.default_rng(index)
    batches, steps, features, units = sizes(rng)
    name = f"lstm_{dtype.value}_{numerics.value}_{index}"
    time_major = index % 2 == 0
    rows = (steps, batches) if time_major else (batches, steps)
    int8 = dtype is DType.INT8
    span = 127.0 if int8 else 32767.0
    x_zero, h_zero = (any_zero_point(rng) if int8 else 0 for _ in range(2))
    x = quantized(f"{name}_x", (*rows, features), any_scale(rng) * 127 / span, x_zero, dtype=dtype)
    # Hidden states that saturate, and those that leave room.
    h_scale = float32(float(rng.choice([0.7, 1.0, 2.0])) / span)
    power = (
        int(rng.integers(-15, -8)) if numerics is Numerics.LITERT else int(rng.integers(-15, -6))
    )
    odd = float(rng.uniform(0.8, 1.2)) if numerics is Numerics.TFLM and index % 4 == 3 else 1.0
    hidden = quantized(f"{name}_h", (batches, units), h_scale, h_zero, dtype=dtype)
    cell = quantized(f"{name}_c", (batches, units), 2.0**power * odd, 0, dtype=DType.INT16)
    y = quantized(f"{name}_y", (*rows, units), h_scale, h_zero, dtype=dtype)
    reach = 30.0 if index % 5 == 4 else 3.0

    def weights(kind: str, columns: int, other: Tensor) -> tuple[Tensor, ...]:
        scale = reach / (other.scale * span * 74.0 * columns**0.5)
        scales = scale * rng.uniform(0.5, 2.0, 4)
        values = rng.integers(-128, 128, (4, units, columns), np.int8)
        return tuple(
            quantized(f"{name}_{kind}{i}", (units, columns), float(s), 0, v)
            for i, (s, v) in enumerate(zip(scales, values, strict=True))
        )

    of_input, of_hidden = weights("w", features, x), weights("r", units, hidden)
    kept = DType.INT32 if int8 else DType.INT64
    biases = []
    for i, w in enumerate(of_input):
        spread = min(2.0 / (x.scale * w.scale), 2.0**30)
        values = rng.uniform(-spread, spread, units).astype(kept.numpy)
        scale = max(x.scale * w.scale, 1e-9)
        biases.append(quantized(f"{name}_b{i}", (units,), scale, 0, values, kept))
    inputs = (x, hidden, cell, *of_input, *of_hidden, *biases)
    after = (replace(t, name=f"{t.name}/after") for t in (hidden, cell))
    clip = float(rng.uniform(0.0, 2.0**power * 33000)) if index % 3 == 2 else 0.0
    outputs = (y, *after)
    return UnidirectionalSequenceLstm(y.name, inputs, outputs, time_major, float32(clip), numerics)


def float_lstm(index: int) -> UnidirectionalSequenceLstm:
    """Weights of a few thirds, as trained layers have them."""
    rng = np.random.default_rng(index)
    batches, steps, features, units = sizes(rng)
    name = f"lstm_float_{index}"
    time_major = index % 2 == 0
    rows = (steps, batches) if time_major else (batches, steps)
    states = tuple(plain(f"{name}_{s}", (batches, units), DType.FLOAT32) for s in "hc")

    def constants(kind: str, *shape: int) -> tuple[Tensor, ...]:
        values = rng.normal(0, 0.3, (4, *shape)).astype(np.float32)
        return tuple(
            replace(plain(f"{name}_{kind}{i}", shape, DType.FLOAT32), data=v)
            for i, v in enumerate(values)
        )

    inputs = (
        plain(f"{name}_x", (*rows, features), DType.FLOAT32),
        *states,
        *constants("w", units, features),
        *constants("r", units, units),
        *constants("b", units),
    )
    y = plain(f"{name}_y", (*rows, units), DType.FLOAT32)
    outputs = (y, *(replace(t, name=f"{t.name}/after") for t in states))
    clip = float32(rng.uniform(0.1, 1.0)) if index % 3 == 2 else 0.0
    return UnidirectionalSequenceLstm(y.name, inputs, outputs, time_major, clip)
