"""Tensors for the operators' test cases: scales are float32 values, as in every model file."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinygen.ir import Array, DType, Op, QuantParams, Tensor

Shape = Sequence[int]


def float32(value: float) -> float:
    """The nearest float32, as a Python float."""
    return float(np.float32(value))


def quantized(
    name: str,
    shape: Shape,
    scale: float,
    zero_point: int,
    data: Array | None = None,
    dtype: DType = DType.INT8,
) -> Tensor:
    """A tensor with one scale; constant where ``data`` is given."""
    quant = QuantParams((float32(scale),), (int(zero_point),))
    return Tensor(name, tuple(shape), dtype, quant, data)


def plain(name: str, shape: Shape, dtype: DType) -> Tensor:
    """A tensor without quantization."""
    return Tensor(name, tuple(shape), dtype)


def constant(
    name: str, shape: Shape, scale: float, zero_point: int, rng: np.random.Generator
) -> Tensor:
    """An int8 constant over the full range."""
    data = rng.integers(-128, 128, tuple(shape)).astype(np.int8)
    return quantized(name, shape, scale, zero_point, data)


def any_scale(rng: np.random.Generator, low: float = 1e-3, high: float = 0.5) -> float:
    """A scale drawn evenly over the orders of magnitude."""
    return float32(np.exp(rng.uniform(np.log(low), np.log(high))))


def any_zero_point(rng: np.random.Generator) -> int:
    """A zero point: an extreme, zero, or any."""
    return int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))]))


def twin(op: Op) -> Op:
    """The same operator on the same inputs, with outputs of its own.

    Before the original, it finds its inputs needed again, so it cannot work in place.
    """
    outputs = tuple(replace(t, name=f"{t.name}_twin") for t in op.outputs)
    return replace(op, name=f"{op.name}_twin", outputs=outputs)
