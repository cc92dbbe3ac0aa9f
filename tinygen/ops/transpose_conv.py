"""TRANSPOSE_CONV: each pixel adds its multiple of the kernel to the output, int8, int16 or
float32."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, only_for
from tinygen.ops.conv2d_lowering import window_fields
from tinygen.ops.conv2d_offset import signed_weights, signed_zero_point
from tinygen.ops.conv2d_wide import wide_output
from tinygen.ops.convolution import (
    CONVOLUTION_RULES,
    Fields,
    Scaling,
    WeightedOp,
    bias_values,
    check_wide_bias,
    exact_matmul,
    real_multipliers,
    results_of,
    scaling_of,
)
from tinygen.ops.floating import all_float, bias_of, clamp_fields, clamped, is_float
from tinygen.ops.tolerance import SUM
from tinygen.ops.window import Window, window_of
from tinygen.quant import activation_range, dtype_range


@dataclass(frozen=True, slots=True, eq=False)
class TransposeConv(WeightedOp):
    """The transpose of the convolution that ``window`` slides over y, with weights OHWI.

    Pixel (i, j) of x reaches pixels (i * stride - pad + tap) of y, as far as there are any.
    """

    kind: ClassVar[str] = "TRANSPOSE_CONV"
    wide_biases: ClassVar[tuple[DType, ...]] = (DType.INT64, DType.INT16)

    window: Window
    activation: Activation


def parse(node: Node) -> TransposeConv:
    """Read the node; the output's shape is its tensor's, whatever computes the first input.

    Raises ModelError where the shapes cannot be a transposed convolution's, UnsupportedError for a
    bias that LiteRT misreads.
    """
    import tflite

    node.arity(range(3, 5))
    weights, x = node.present[1:3]
    y, where = node.outputs[0], f"TRANSPOSE_CONV '{node.name}'"
    if not len(weights.shape) == len(x.shape) == len(y.shape) == 4:
        raise ModelError(f"{where}: weights {weights.shape}, {x.shape} and {y.shape}, not 4 axes")
    if (weights.shape[0], weights.shape[3]) != (y.shape[3], x.shape[3]):
        raise ModelError(f"{where}: weights {weights.shape} do not take {x.shape} to {y.shape}")
    bias = node.present[3:]
    if bias and bias[0].shape != (y.shape[3],):
        raise ModelError(f"{where}: bias {bias[0].shape} is not ({y.shape[3]},)")
    if bias:
        check_wide_bias(node, x)
    options = node.options(tflite.TransposeConvOptions)
    # The forward convolution takes y to x.
    window = window_of(
        node,
        y,
        x,
        kernel=(weights.shape[1], weights.shape[2]),
        stride=(options.StrideH(), options.StrideW()),
        dilation=(1, 1),
        scheme=options.Padding(),
    )
    activation = node.activation(options.FusedActivationFunction())
    return TransposeConv(node.name, (x, weights, *bias), node.outputs, window, activation)


def scaling(op: TransposeConv) -> Scaling:
    """The fixed-point scale of each output channel."""
    return scaling_of(real_multipliers(op), op.y.shape[3])


def reference(op: TransposeConv, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::TransposeConv and reference_ops::TransposeConv."""
    channels = op.y.shape[3]
    if is_float(op):
        sums = collected(op, np.zeros(1, np.float32), lambda w: added_in_order(values[0], w))
        return (clamped(sums + bias_of(op.bias, channels), op.activation),)
    offsets = values[0].astype(np.int64) - op.x.zero_point

    def products(weights: Array) -> Iterator[Array]:
        yield exact_matmul(offsets, weights.T.astype(np.int64) - op.weights_zero_point)

    sums = collected(op, np.zeros(1, np.int64), products)
    return (results_of(op, sums + bias_values(op, channels), scaling(op)),)


def collected(
    op: TransposeConv, zero: Array, products: Callable[[Array], Iterator[Array]]
) -> Array:
    """The sums of the output's pixels, from ``zero`` on: each adds in the order of the input.

    ``products`` gives what to add for the weights [out_c, in_c] of one tap. The input pixel that
    reaches a given pixel with the last tap is the first, so the taps are taken backwards.
    """
    (batch, height, width, _), (_, out_h, out_w, channels) = op.x.shape, op.y.shape
    (kernel_h, kernel_w), (stride_h, stride_w) = op.window.kernel, op.window.stride
    # Room for everything that the input reaches; the output is cut out of it.
    reached = ((height - 1) * stride_h + kernel_h, (width - 1) * stride_w + kernel_w)
    sums = np.zeros((batch, *reached, channels), zero.dtype)
    for i in reversed(range(kernel_h)):
        for j in reversed(range(kernel_w)):
            rows = slice(i, i + (height - 1) * stride_h + 1, stride_h)
            columns = slice(j, j + (width - 1) * stride_w + 1, stride_w)
            for product in products(op.weights.values[:, i, j]):
                sums[:, rows, columns] += product
    top, left = op.window.pad
    sums = sums[:, top : top + out_h, left : left + out_w]
    missing = (out_h - sums.shape[1], out_w - sums.shape[2])
    return np.pad(sums, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)))


def added_in_order(x: Array, weights: Array) -> Iterator[Array]:
    """Each input channel's products with its weights."""
    for channel, column in enumerate(weights.T):
        yield x[..., channel, None] * column


def macs(op: TransposeConv) -> int:
    """Each pixel meets the whole kernel; what falls over the border counts too."""
    return op.x.elements * op.weights.elements // op.x.shape[3]


def geometry(op: TransposeConv) -> Fields:
    """The fields that both kernels' shapes have."""
    channels = (("in_c", op.x.shape[3]), ("out_c", op.y.shape[3]))
    return (*window_fields(op.x, op.y, op.window), *channels)


def lower(op: TransposeConv) -> tuple[Call, ...]:
    """The call of ``tg_transpose_conv_s8``."""
    low, high = activation_range(op.activation, op.y)
    found = scaling(op)
    shape = (
        *geometry(op),
        ("weights_zero_point", signed_zero_point(op)),
        ("full_range", int((low, high) == dtype_range(DType.INT8))),
    )
    params = (
        ("weights", signed_weights(op)),
        ("bias", bias_values(op, op.y.shape[3])),
        ("multiplier", found.multiplier),
        ("shift", found.shift),
        ("input_zero_point", op.x.zero_point),
        ("output_zero_point", op.y.zero_point),
        ("output_min", low),
        ("output_max", high),
    )
    return (Call(shape, params, (op.x,), (op.y,)),)


def lower_wide(op: TransposeConv) -> tuple[Call, ...]:
    """The call of ``tg_transpose_conv_s16``."""
    params = (("weights", op.weights.values), *wide_output(op, scaling(op)))
    return (Call(geometry(op), params, (op.x,), (op.y,)),)


def lower_float(op: TransposeConv) -> tuple[Call, ...]:
    """The call of ``tg_transpose_conv_f32``."""
    params = (
        ("weights", op.weights.values),
        ("bias", bias_of(op.bias, op.y.shape[3])),
        *clamp_fields(op.activation),
    )
    return (Call(geometry(op), params, (op.x,), (op.y,)),)


def row(
    name: str, dtype: DType, lowering: Callable[[TransposeConv], tuple[Call, ...]]
) -> Kernel[TransposeConv]:
    """The row for activations of ``dtype``."""
    (found,) = only_for(dtype, Kernel(name, f"{name}.h", name, lowering))
    return found


TRANSPOSE_CONV = OpDef(
    op=TransposeConv,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    parse=parse,
    rules=(all_float, *CONVOLUTION_RULES),
    reference=reference,
    kernels=(
        row("tg_transpose_conv_s8", DType.INT8, lower),
        row("tg_transpose_conv_s16", DType.INT16, lower_wide),
        row("tg_transpose_conv_f32", DType.FLOAT32, lower_float),
    ),
    macs=macs,
    tolerance=SUM,
)
