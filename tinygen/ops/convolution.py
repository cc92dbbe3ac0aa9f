"""What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: weights, biases, requantization."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinygen.ir import Activation, Array, DType, Tensor
from tinygen.ops.base import describe
from tinygen.quant import activation_range, multiply_by_quantized_multiplier, quantize_multiplier


class Weighted(Protocol):
    """An operator with an activation, constant weights and perhaps a bias."""

    @property
    def x(self) -> Tensor: ...  # noqa: D102
    @property
    def y(self) -> Tensor: ...  # noqa: D102
    @property
    def weights(self) -> Tensor: ...  # noqa: D102
    @property
    def bias(self) -> Tensor | None: ...  # noqa: D102
    @property
    def activation(self) -> Activation: ...  # noqa: D102


def constant_weights(op: Weighted) -> str:
    """Weights and bias are constants of the model.

    Freeze the model before converting it.
    """
    tensors = [op.weights] + ([op.bias] if op.bias else [])
    return next((describe(t) for t in tensors if not t.is_constant), "")


def int8_weights(op: Weighted) -> str:
    """Weights are int8, symmetric (zero point 0), and the bias is int32.

    Convert the model with full integer post-training quantization (int8).
    """
    weights, bias = op.weights, op.bias
    if weights.dtype is not DType.INT8 or weights.quant is None or any(weights.quant.zero_point):
        return describe(weights)
    if bias is not None and bias.dtype is not DType.INT32:
        return describe(bias)
    return ""


def fused_clamp(op: Weighted) -> str:
    """The fused activation is none, RELU, RELU6 or RELU_N1_TO_1.

    Use one of these, or the activation as an operator of its own.
    """
    if op.activation in (Activation.TANH, Activation.SIGN_BIT):
        return op.activation.value
    return ""


def output_multipliers(
    op: Weighted, channels: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Per-channel (multiplier, shift) of input_scale * weight_scale / output_scale.

    Source: ``PopulateConvolutionQuantizationParams``: products in double.
    """
    assert op.weights.quant is not None
    scales = op.weights.quant.scale
    if len(scales) == 1:
        scales = scales * channels
    pairs = [quantize_multiplier(op.x.scale * s / op.y.scale) for s in scales]
    return (np.array([m for m, _ in pairs], np.int32), np.array([s for _, s in pairs], np.int8))


def bias_values(op: Weighted, channels: int) -> npt.NDArray[np.int32]:
    """The bias, or zeros."""
    return np.asarray(op.bias.values.reshape(-1) if op.bias else np.zeros(channels), np.int32)


def folded_bias(op: Weighted, weight_sums: Array) -> npt.NDArray[np.int32]:
    """bias - input_zero_point * sum of the channel's weights, modulo 2**32.

    The reference adds (x - zero_point) * w in int32; sums in another order give the same bits.
    """
    total = bias_values(op, len(weight_sums)) - op.x.zero_point * weight_sums.astype(np.int64)
    return total.astype(np.int32)


def requantized(op: Weighted, accumulators: Array) -> npt.NDArray[np.int8]:
    """int32 accumulators [..., channels] to the int8 output, double rounding, clamped."""
    multiplier, shift = output_multipliers(op, accumulators.shape[-1])
    scaled = multiply_by_quantized_multiplier(accumulators, multiplier, shift)
    low, high = activation_range(op.activation, op.y)
    return np.clip(scaled.astype(np.int64) + op.y.zero_point, low, high).astype(np.int8)


def exact_matmul(a: Array, b: Array) -> npt.NDArray[np.int64]:
    """Integer product through double-precision BLAS: exact, sums stay far below 2**53."""
    return np.asarray(a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)


def wrap_int32(value: Array) -> npt.NDArray[np.int32]:
    """Two's complement modulo 2**32, as the reference's int32 accumulator does on every target."""
    return value.astype(np.int64).astype(np.int32)
