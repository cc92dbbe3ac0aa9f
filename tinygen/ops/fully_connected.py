"""FULLY_CONNECTED: rows of activations times a weight matrix, int8, int16 or float32."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Activation, Array, DType, Numerics, Tensor
from tinygen.isa import Isa
from tinygen.ops.accumulators import (
    accumulated,
    fixed_point_bounds,
    offsets_of,
    result_bounds,
)
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, describe, only_for
from tinygen.ops.compact import matmul_compact_row
from tinygen.ops.conv2d_float import float_call, float_kernel
from tinygen.ops.conv2d_mve import matmul_mve_row
from tinygen.ops.conv2d_offset import signed_weights, signed_zero_point
from tinygen.ops.conv2d_wide import wide_call
from tinygen.ops.convolution import (
    Fields,
    Params,
    Scaling,
    WeightedOp,
    bias_values,
    channel_scales,
    check_bias_type,
    constant_weights,
    exact_matmul,
    finished,
    fused_clamp,
    has_old_weights,
    integer_ends,
    matmul_call,
    matmul_row,
    reach_of,
    real_multipliers,
    results_of,
    scaling_in_range,
    scaling_of,
    single_product,
    weighted_inputs,
    wide_sums,
    wrap_int32,
    wrong_bias,
)
from tinygen.ops.floating import (
    bias_of,
    clamped,
    is_float,
    ordered_matmul,
    unless_float,
)
from tinygen.ops.four_bits import compressed_call, compressed_row
from tinygen.ops.hybrid import (
    HYBRID_RULES,
    Scheme,
    hybrid_call,
    hybrid_kernel,
    is_hybrid,
    quantized,
    real_results,
)
from tinygen.ops.matmul_trio import matmul_trio_row
from tinygen.ops.matmul_twist import twist_rows
from tinygen.ops.tolerance import SUM
from tinygen.quant import activation_range, dtype_range


class Rounding(Enum):
    """How accumulators become int8."""

    TWICE = "twice"  # TFLite Micro: fixed point, rounding after the product and after the shift
    ONCE = "once"  # LiteRT: a product in double precision, rounded to the nearest integer


@dataclass(frozen=True, slots=True, eq=False)
class FullyConnected(WeightedOp):
    """y[r, o] = act(sum over k of x[r, k] * (weights[o, k] - zero_point) + bias[o]).

    ``weights`` are [out_c, depth]. ``asymmetric`` says how float32 activations are quantized for
    int8 weights.
    """

    kind: ClassVar[str] = "FULLY_CONNECTED"
    wide_biases: ClassVar[tuple[DType, ...]] = (DType.INT64, DType.INT32)

    activation: Activation
    keep_num_dims: bool = False
    shuffled: bool = False
    asymmetric: bool = False
    rounding: Rounding = Rounding.TWICE

    @property
    def rows(self) -> int:
        """Rows of activations, each of the weights' depth."""
        return self.x.elements // self.weights.shape[1]


def parse(node: Node) -> FullyConnected:
    """Read the node.

    Raises ModelError where its shapes cannot be a matrix product's, UnsupportedError for types of
    bias and sums that go with no kernel.
    """
    import tflite

    y = node.outputs[0]
    x, weights = weighted_inputs(node, channels=y.shape[-1] if y.shape else 0)
    options = node.options(tflite.FullyConnectedOptions)
    check_bias_type(node, options.QuantizedBiasType())
    fits = len(weights.shape) == 2 and min(weights.shape) > 0 and y.shape[-1:] == weights.shape[:1]
    if not fits or x.elements * weights.shape[0] != y.elements * weights.shape[1]:
        raise ModelError(
            f"{node.kind} '{node.name}': weights {weights.shape} do not fit input {x.shape} "
            f"and output {y.shape}"
        )
    return FullyConnected(
        node.name,
        node.present,
        node.outputs,
        node.activation(options.FusedActivationFunction()),
        bool(options.KeepNumDims()),
        options.WeightsFormat() != tflite.FullyConnectedOptionsWeightsFormat.DEFAULT,
        bool(options.AsymmetricQuantizeInputs()),
        rounding_of(node, weights),
    )


def rounding_of(node: Node, weights: Tensor) -> Rounding:
    """How the reference that decides rounds; LiteRT's kernel for uint8 is not the one for int8."""
    once = node.numerics is Numerics.LITERT and weights.dtype is not DType.UINT8
    return Rounding.ONCE if once else Rounding.TWICE


def matrix_weights(op: FullyConnected) -> str:
    """Weights are int8, with zero point 0 where they have one scale per channel; the bias is int32.

    With int16 activations the zero point is always 0, and the bias may be int64. Those of uint8
    models are uint8 with one scale and zero point.
    Convert the model with full integer post-training quantization (int8, or 16x8).
    """
    if has_old_weights(op):
        return wrong_bias(op)
    quant = op.weights.quant
    one_scale = quant is not None and not quant.per_channel and op.x.dtype is DType.INT8
    symmetric = quant is not None and (one_scale or not any(quant.zero_point))
    if op.weights.dtype is not DType.INT8 or not symmetric:
        return describe(op.weights)
    return wrong_bias(op)


def default_format(op: FullyConnected) -> str:
    """Weights are stored in the default order.

    Convert the model without the shuffled weights format.
    """
    return "weights shuffled for 4x16 int8" if op.shuffled else ""


def result_in_range(op: FullyConnected) -> str:
    """With --numerics litert, no scaled accumulator can reach 2**31.

    LiteRT's conversion to int32 is undefined beyond; use --numerics tflm, or sane scales.
    """
    if op.rounding is Rounding.TWICE:
        return ""
    weights, bias = effective(op)
    reach = reach_of(bias, weights, -dtype_range(op.x.dtype)[0])
    largest = float((np.maximum(-reach.low, reach.high) * np.array(reals(op))).max())
    return "" if largest < 2**31 - 1 else f"up to {largest:g}"


def reals(op: FullyConnected) -> Sequence[float]:
    """input_scale * weight_scale / output_scale, one or one per channel.

    Source: TFLite's ``GetQuantizedConvolutionMultipler`` multiplies one scale in single precision,
    where per-channel scales and LiteRT's ``FullyConnected`` that rounds once take double.
    """
    assert op.weights.quant is not None
    if op.rounding is Rounding.ONCE or op.weights.quant.per_channel:
        return real_multipliers(op)
    return (single_product(op) / op.y.scale,)


def scaling(op: FullyConnected) -> Scaling:
    """The fixed-point scaling of TFLite Micro."""
    return scaling_of(reals(op), op.weights.shape[0])


def effective(op: FullyConnected) -> tuple[Array, Array]:
    """Weights minus their zero point, and the bias with all that no input changes folded in."""
    weights = op.effective_weights
    bias = bias_values(op, len(weights)) - op.x.zero_point * weights.sum(axis=1)
    return weights, bias


def reference(op: FullyConnected, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::FullyConnected and FullyConnectedPerChannel.

    For floats: reference_ops::FullyConnected.
    """
    channels, depth = op.weights.shape
    if is_hybrid(op):
        steps, scale = quantized(values[0].reshape(op.rows, depth), asymmetric=op.asymmetric)
        sums = exact_matmul(steps, op.weights.values.T)
        real = real_results(op, sums, scale, Scheme(op.asymmetric))
        return (clamped(real, op.activation).reshape(op.y.shape),)
    if is_float(op):
        products = ordered_matmul(values[0].reshape(op.rows, depth), op.weights.values)
        result = clamped(products + bias_of(op.bias, channels), op.activation)
        return (result.reshape(op.y.shape),)
    offset = values[0].reshape(op.rows, depth).astype(np.int64) - op.x.zero_point
    weights, _ = effective(op)
    sums = exact_matmul(offset, weights.T) + bias_values(op, channels)
    if op.rounding is Rounding.TWICE:
        return (results_of(op, sums, scaling(op)).reshape(op.y.shape),)
    accumulators = sums if op.x.dtype is DType.INT16 else wrap_int32(sums)
    return (rounded_once(op, accumulators).reshape(op.y.shape),)


def rounded_once(op: FullyConnected, accumulators: Array) -> Array:
    """Accumulators [..., channels] to the output, in double, clamped."""
    products = accumulators.astype(np.float64) * np.array(reals(op))
    whole = np.trunc(products)
    rounded = whole + np.where(np.abs(products - whole) >= 0.5, np.sign(products), 0)
    return finished(op, rounded)


def accumulators(op: FullyConnected, bounds_of: BoundsOf) -> Interval:
    """Bounds of each output channel's accumulator, bias included, not wrapped to 32 bits."""
    channels, depth = op.weights.shape
    row = bounds_of(op.x).reshaped(depth)
    offsets = offsets_of(row, op.x.zero_point, padded=False)
    weights, _ = effective(op)
    return accumulated(weights[:, None, :], offsets, bias_values(op, channels))


def bounds(op: FullyConnected, bounds_of: BoundsOf) -> Interval:
    """What each output channel can be, with the rounding that the operator has."""
    found = accumulators(op, bounds_of)
    if op.rounding is Rounding.TWICE:
        return fixed_point_bounds(op, found, scaling(op))
    products = found.low * np.array(reals(op)), found.high * np.array(reals(op))
    return result_bounds(op, found, products, lambda ends: rounded_once(op, ends))


def macs(op: FullyConnected) -> int:
    """Multiply-accumulates."""
    return op.rows * op.weights.elements


def is_matmul(op: FullyConnected) -> bool:
    """Whether ``tg_matmul_s8`` takes it."""
    symmetric = op.weights.dtype is DType.INT8 and op.weights_zero_point == 0
    return op.rounding is Rounding.TWICE and symmetric


def is_fixed_point(op: FullyConnected) -> bool:
    """Whether ``tg_fully_connected_s8`` or ``tg_conv2d_s16`` takes it."""
    return op.rounding is Rounding.TWICE


def lower_matmul(op: FullyConnected) -> tuple[Call, ...]:
    """The call of ``tg_matmul_s8``."""
    return (matmul_call(op, op.weights.values, scaling(op)),)


def lower(op: FullyConnected) -> tuple[Call, ...]:
    """The call of ``tg_fully_connected_s8`` or ``tg_fully_connected_s8_f64``."""
    channels, depth = op.weights.shape
    low, high = activation_range(op.activation, op.y)
    _, bias = effective(op)
    if op.rounding is Rounding.TWICE:
        fixed = scaling(op)
        scales: Params = (("multiplier", fixed.multiplier), ("shift", fixed.shift))
    else:
        scales = (("scale", np.broadcast_to(np.array(reals(op)), channels).copy()),)
    shape = (
        ("rows", op.rows),
        ("depth", depth),
        ("out_c", channels),
        ("weights_zero_point", signed_zero_point(op)),
    )
    params = (
        ("weights", signed_weights(op)),
        ("bias", wrap_int32(bias)),
        *scales,
        ("output_zero_point", op.y.zero_point),
        ("output_min", low),
        ("output_max", high),
    )
    return (Call(shape, params, (op.x,), (op.y,)),)


def pixels(op: FullyConnected) -> Fields:
    """The geometry of a convolution to which each row is an image of one pixel."""
    one = ("in_h", "in_w", "out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w")
    return (
        ("batches", op.rows),
        *((name, 1) for name in one),
        ("pad_top", 0),
        ("pad_left", 0),
        ("dilation_h", 1),
        ("dilation_w", 1),
    )


def lower_wide(op: FullyConnected) -> tuple[Call, ...]:
    """The call of ``tg_conv2d_s16``."""
    return (wide_call(op, pixels(op), op.weights.values, 1, scaling(op)),)


def lower_compressed(op: FullyConnected) -> Call:
    """The call of ``tg_conv2d_s4``."""
    return compressed_call(op, pixels(op), op.weights.values, 1, scaling(op))


def lower_float(op: FullyConnected) -> tuple[Call, ...]:
    """The call of ``tg_conv2d_f32``."""
    return (float_call(op, pixels(op), op.weights.values, 1),)


def lower_wide_once(op: FullyConnected) -> tuple[Call, ...]:
    """The call of ``tg_fully_connected_s16_f64``."""
    channels, depth = op.weights.shape
    low, high = activation_range(op.activation, op.y)
    params = (
        ("weights", op.weights.values),
        ("bias", bias_values(op, channels)),
        ("scale", np.broadcast_to(np.array(reals(op)), channels).copy()),
        ("output_min", low),
        ("output_max", high),
    )
    shape = (("rows", op.rows), ("depth", depth), ("out_c", channels))
    return (Call(shape, params, (op.x,), (op.y,)),)


def lower_hybrid(op: FullyConnected) -> tuple[Call, ...]:
    """The call of ``tg_conv2d_hybrid``."""
    weights, scheme = op.weights.values, Scheme(op.asymmetric)
    return (hybrid_call(op, op.activation, pixels(op), op.rows, weights, 1, scheme),)


FULLY_CONNECTED = OpDef(
    op=FullyConnected,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    parse=parse,
    rules=(
        constant_weights,
        *HYBRID_RULES,
        default_format,
        fused_clamp,
        *unless_float(
            integer_ends,
            matrix_weights,
            channel_scales,
            scaling_in_range,
            wide_sums,
            result_in_range,
        ),
    ),
    reference=reference,
    kernels=(
        *only_for(
            DType.INT8,
            matmul_mve_row(is_matmul, scaling),
            *twist_rows(is_matmul, scaling),
            matmul_compact_row(is_matmul, scaling),
            matmul_row(lower_matmul, is_matmul, Isa.DSP),
            matmul_trio_row(lower_matmul, is_matmul),
            matmul_row(lower_matmul, is_matmul),
            Kernel(
                "tg_fully_connected_s8",
                "tg_fully_connected_s8.h",
                "tg_fully_connected_s8",
                lower,
                fits=is_fixed_point,
            ),
            Kernel(
                "tg_fully_connected_s8_f64",
                "tg_fully_connected_s8.h",
                "tg_fully_connected_s8",
                lower,
                fits=lambda op: op.rounding is Rounding.ONCE,
            ),
        ),
        compressed_row(lower_compressed, is_matmul),
        *only_for(
            DType.INT16,
            Kernel(
                "tg_conv2d_s16",
                "tg_conv2d_s16.h",
                "tg_conv2d_s16",
                lower_wide,
                fits=is_fixed_point,
            ),
            Kernel(
                "tg_fully_connected_s16_f64",
                "tg_fully_connected_s16.h",
                "tg_fully_connected_s16",
                lower_wide_once,
                fits=lambda op: op.rounding is Rounding.ONCE,
            ),
        ),
        float_kernel(lower_float),
        hybrid_kernel(lower_hybrid),
    ),
    macs=macs,
    bounds=bounds,
    tolerance=SUM,
)
