"""DEPTHWISE_CONV_2D: each channel convolved by itself, NHWC, int8, int16 or float32."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType
from tinygen.isa import Isa
from tinygen.ops import hybrid
from tinygen.ops.accumulators import accumulated, fixed_point_bounds, offsets_of
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, describe, only_for
from tinygen.ops.conv2d_float import convolved
from tinygen.ops.conv2d_lowering import (
    Convolution,
    convolution_rows,
    dilation_fields,
    is_inside,
    window_fields,
)
from tinygen.ops.conv2d_offset import offset_rows, signed_weights, signed_zero_point
from tinygen.ops.conv2d_wide import wide_row
from tinygen.ops.convolution import (
    CONVOLUTION_RULES,
    Params,
    bias_values,
    convolution_inputs,
    folded_bias,
    for_int8,
    has_old_weights,
    output_fields,
    real_multipliers,
    results_of,
    scaling_of,
)
from tinygen.ops.depthwise_compact import depthwise_compact_rows
from tinygen.ops.depthwise_mve import depthwise_mve_row
from tinygen.ops.depthwise_planar import planar_rows
from tinygen.ops.depthwise_slide import slide_rows
from tinygen.ops.floating import bias_of, clamp_fields, is_float
from tinygen.ops.four_bits import compressed_depthwise_row
from tinygen.ops.hybrid import HYBRID_RULES, Scheme, hybrid_row, is_hybrid
from tinygen.ops.tolerance import SUM
from tinygen.ops.window import patches

# TG_DEPTHWISE_MAX_TAPS in tg_depthwise_conv2d_s8.h
MAX_TAPS = 32
# How LiteRT quantizes float images for int8 weights.
HYBRID = Scheme(asymmetric=True)


@dataclass(frozen=True, slots=True, eq=False)
class DepthwiseConv2D(Convolution):
    """y[n, oy, ox, o] = act(sum over ky, kx of x[.., o // m] * weights[0, ky, kx, o] + bias[o]).

    m is the depth multiplier: the output channels of one input channel. ``weights`` are
    [1, kernel_h, kernel_w, out_c].
    """

    kind: ClassVar[str] = "DEPTHWISE_CONV_2D"

    @property
    def depth_multiplier(self) -> int:
        """Output channels of each input channel."""
        return self.y.shape[3] // self.x.shape[3]


def parse(node: Node) -> DepthwiseConv2D:
    """Read the node. Raises ModelError where its shapes cannot be a depthwise convolution's."""
    import tflite

    options = node.options(tflite.DepthwiseConv2DOptions)
    x, weights, window = convolution_inputs(node, options)
    y = node.outputs[0]
    in_c, out_c, multiplier = x.shape[3], y.shape[3], options.DepthMultiplier()
    if weights.shape[0] != 1 or weights.shape[3] != out_c or out_c != in_c * multiplier:
        raise ModelError(
            f"{node.kind} '{node.name}': weights {weights.shape} and depth multiplier {multiplier} "
            f"do not fit input {x.shape} and output {y.shape}"
        )
    return DepthwiseConv2D(
        node.name,
        node.present,
        node.outputs,
        window,
        node.activation(options.FusedActivationFunction()),
    )


def reference(op: DepthwiseConv2D, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::DepthwiseConvPerChannel.

    For floats: reference_ops::DepthwiseConv.
    """
    if is_hybrid(op):
        return (hybrid.convolved(op, values[0], *grouped(op), HYBRID),)
    if is_float(op):
        return (convolved(op, values[0], *grouped(op)),)
    out_h, out_w, out_c = op.y.shape[1:]
    taken = patches(values[0], op.window, (out_h, out_w), op.x.zero_point)
    weights = op.effective_weights[0]
    accumulators = np.zeros(op.y.shape, np.int64)
    for ky, kx in np.ndindex(op.window.kernel):
        offset = taken[:, :, :, ky, kx, :].astype(np.int64) - op.x.zero_point
        accumulators += np.repeat(offset, op.depth_multiplier, axis=-1) * weights[ky, kx]
    sums = accumulators + bias_values(op, out_c)
    return (results_of(op, sums, scaling_of(real_multipliers(op), out_c)),)


def accumulators(op: DepthwiseConv2D, bounds_of: BoundsOf) -> Interval:
    """Bounds of each output channel's accumulator, bias included, not wrapped to 32 bits."""
    out_c = op.y.shape[3]
    padded = not is_inside(op.x, op.y, op.window)
    offsets = offsets_of(bounds_of(op.x), op.x.zero_point, padded=padded)
    own = offsets.at(np.arange(out_c) // op.depth_multiplier)
    weights = op.effective_weights.reshape(-1, out_c).T[:, :, None]
    columns = Interval(own.low[:, None], own.high[:, None])
    return accumulated(weights, columns, bias_values(op, out_c))


def bounds(op: DepthwiseConv2D, bounds_of: BoundsOf) -> Interval:
    """What each output channel can be."""
    scaling = scaling_of(real_multipliers(op), op.y.shape[3])
    return fixed_point_bounds(op, accumulators(op, bounds_of), scaling)


def macs(op: DepthwiseConv2D) -> int:
    """Multiply-accumulates, padding taps included (TFLite's convention)."""
    return op.y.elements * prod(op.window.kernel)


def is_channelwise(op: DepthwiseConv2D) -> bool:
    """Whether ``tg_depthwise_conv2d_s8`` takes it; one channel alone is better a convolution."""
    few_taps = prod(op.window.kernel) <= MAX_TAPS
    return op.depth_multiplier == 1 and few_taps and op.x.shape[3] > 1


def lower_channelwise(op: DepthwiseConv2D) -> tuple[Call, ...]:
    """The call of ``tg_depthwise_conv2d_s8``; the scratch is one pixel of zero points."""
    channels = op.y.shape[3]
    weights = op.effective_weights.reshape(-1, channels)
    bias = folded_bias(op, weights.sum(axis=0))
    scaling = scaling_of(real_multipliers(op), channels)
    output_shape, output_params = output_fields(op, scaling, bias, weights.T)
    zeros = 0 if is_inside(op.x, op.y, op.window) else channels
    shape = (
        *window_fields(op.x, op.y, op.window),
        *dilation_fields(op.window),
        ("channels", channels),
        ("weights_zero_point", signed_zero_point(op)),
        ("zeros", zeros),
        *output_shape,
    )
    params: Params = (
        ("weights", signed_weights(op).reshape(-1, channels)),
        ("input_zero_point", op.x.zero_point),
        *output_params,
    )
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes=zeros),)


def grouped(op: DepthwiseConv2D) -> tuple[Array, int]:
    """The weights as those of a convolution with a group for each input channel."""
    return np.ascontiguousarray(op.weights.values.transpose(3, 1, 2, 0)), op.x.shape[3]


def hybrid_channels(op: DepthwiseConv2D) -> str:
    """Where the input is float32, weights of int8 have a scale for each channel.

    LiteRT reads no others right; convert the model again.
    """
    quant = op.weights.quant
    if not is_hybrid(op) or quant is None or len(quant.scale) == op.y.shape[3]:
        return ""
    return describe(op.weights)


def lower_float(op: DepthwiseConv2D) -> tuple[Call, ...]:
    """The call of ``tg_depthwise_conv2d_f32``."""
    shape = (
        *window_fields(op.x, op.y, op.window),
        *dilation_fields(op.window),
        ("in_c", op.x.shape[3]),
        ("multiplier", op.depth_multiplier),
    )
    params = (
        ("weights", op.weights.values),
        ("bias", bias_of(op.bias, op.y.shape[3])),
        *clamp_fields(op.activation),
    )
    return (Call(shape, params, (op.x,), (op.y,)),)


def old_channelwise_row(needs: Isa = Isa.ANY) -> Kernel[DepthwiseConv2D]:
    """The row for uint8 weights, with and without the DSP extension."""
    types = "tg_depthwise_conv2d_s8"
    name = f"{types}_dsp" if needs else types
    return Kernel(
        name,
        f"{name}.h",
        types,
        lower_channelwise,
        needs,
        lambda op: has_old_weights(op) and is_channelwise(op),
        scratch=True,
    )


DEPTHWISE_CONV_2D = OpDef(
    op=DepthwiseConv2D,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    parse=parse,
    rules=(*HYBRID_RULES, hybrid_channels, *CONVOLUTION_RULES),
    reference=reference,
    kernels=(
        *for_int8(
            depthwise_mve_row(),
            *planar_rows(),
            *depthwise_compact_rows(),
            Kernel(
                "tg_depthwise_conv2d_s8_dsp",
                "tg_depthwise_conv2d_s8_dsp.h",
                "tg_depthwise_conv2d_s8",
                lower_channelwise,
                needs=Isa.DSP,
                fits=is_channelwise,
                scratch=True,
            ),
            *slide_rows(),
            Kernel(
                "tg_depthwise_conv2d_s8",
                "tg_depthwise_conv2d_s8.h",
                "tg_depthwise_conv2d_s8",
                lower_channelwise,
                fits=is_channelwise,
                scratch=True,
            ),
            *convolution_rows(grouped, Isa.DSP),
            *convolution_rows(grouped),
        ),
        old_channelwise_row(Isa.DSP),
        old_channelwise_row(),
        compressed_depthwise_row(grouped),
        *offset_rows(grouped),
        wide_row(grouped),
        *only_for(
            DType.FLOAT32,
            Kernel(
                "tg_depthwise_conv2d_f32",
                "tg_depthwise_conv2d_f32.h",
                "tg_depthwise_conv2d_f32",
                lower_float,
                fits=lambda op: not is_hybrid(op),
            ),
        ),
        hybrid_row(grouped, lambda op: HYBRID),
    ),
    macs=macs,
    bounds=bounds,
    tolerance=SUM,
)
