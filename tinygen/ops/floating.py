"""What operators on float32 share: their rules, the fused clamp, sums in the reference's order."""

from collections.abc import Sequence
from functools import wraps
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Activation, Array, DType, Op, Tensor
from tinygen.ops.base import Rule, describe

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout
Floats = npt.NDArray[np.float32]
LARGEST = float(np.finfo(np.float32).max)
# Source: ``CalculateActivationRange``, which leaves nothing infinite.
CLAMPS = {
    Activation.NONE: (-LARGEST, LARGEST),
    Activation.RELU: (0.0, LARGEST),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}


def is_float(op: Op) -> bool:
    """Whether the operator works on float32."""
    return op.x.dtype is DType.FLOAT32


def unless_float(*rules: Rule[O]) -> tuple[Rule[O], ...]:
    """``rules``, which are asked of operators on other types than float32 only."""

    def excused(rule: Rule[O]) -> Rule[O]:
        @wraps(rule)
        def asked(op: O) -> str:
            return "" if is_float(op) else rule(op)

        return asked

    return tuple(excused(rule) for rule in rules)


def all_float(op: Op) -> str:
    """Where the input is float32, so are all other inputs and the outputs.

    Convert the model either without quantization or with full integer quantization.
    """
    return other_than_float((*op.inputs, *op.outputs)) if is_float(op) else ""


def other_than_float(tensors: Sequence[Tensor]) -> str:
    """The first of ``tensors`` that is not float32, in words; '' where there is none."""
    return next((describe(t) for t in tensors if t.dtype is not DType.FLOAT32), "")


def clamped(values: Array, activation: Activation) -> Floats:
    """``values`` within the fused activation's bounds; NaN stays. Source: TFLite's
    ``ActivationFunctionWithMinMax``."""
    low, high = CLAMPS[activation]
    return np.asarray(np.clip(values, np.float32(low), np.float32(high)), np.float32)


def clamp_fields(activation: Activation) -> tuple[tuple[str, float], tuple[str, float]]:
    """The fused activation's bounds, as the kernels take them."""
    low, high = CLAMPS[activation]
    return ("output_min", low), ("output_max", high)


def ordered_matmul(rows: Array, weights: Array) -> Floats:
    """rows [n, depth] times weights [channels, depth], each sum in float32 from the first product.

    The kernels of both references sum so, as their C++ says.
    """
    sums = np.zeros((len(rows), len(weights)), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for row, column in zip(rows.T, weights.T, strict=True):
            sums += row[:, None] * column[None, :]
    return sums


def ordered_sum(values: Array, start: Array | float = 0.0) -> Floats:
    """Sums along the first axis in float32, from ``start`` and the first value on."""
    sums = np.zeros(values.shape[1:], np.float32) + np.float32(start)
    with np.errstate(over="ignore", invalid="ignore"):
        for value in values:
            sums = sums + value
    return np.asarray(sums, np.float32)


def bias_of(bias: Tensor | None, channels: int) -> Floats:
    """The bias, or zeros."""
    return np.zeros(channels, np.float32) if bias is None else bias.values.reshape(-1)
