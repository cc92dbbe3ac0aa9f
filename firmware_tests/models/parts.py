"""Tensors that sample graphs are made of."""

import numpy as np

from firmware_tests.kernels.tensors import quantized
from tinygen.ir import DType, QuantParams, Tensor

SEED = 20240229


def activation(
    name: str, shape: tuple[int, ...], scale: float = 0.05, zero_point: int = -3
) -> Tensor:
    """An int8 tensor that is known at run time only."""
    return quantized(name, shape, scale, zero_point)


def weights(name: str, shape: tuple[int, ...], axis: int = 0) -> Tensor:
    """Symmetric int8 weights with a scale for each index of ``axis``."""
    rng = np.random.default_rng(SEED)
    count = shape[axis]
    scales = tuple(float(s) for s in rng.uniform(0.001, 0.02, count).astype(np.float32))
    data = rng.integers(-127, 128, shape).astype(np.int8)
    return Tensor(name, shape, DType.INT8, QuantParams(scales, (0,) * count, axis), data)


def bias(name: str, count: int) -> Tensor:
    """An int32 bias."""
    data = np.random.default_rng(SEED).integers(-2000, 2000, count).astype(np.int32)
    return Tensor(name, (count,), DType.INT32, None, data)
