"""CONV_2D: two-dimensional convolution, NHWC, int8, int16 or float32."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType
from tinygen.isa import Isa
from tinygen.ops import hybrid
from tinygen.ops.accumulators import accumulated, fixed_point_bounds, offsets_of, per_output
from tinygen.ops.base import BoundsOf, Call, Node, OpDef
from tinygen.ops.compact import conv2d_compact_row, conv2d_lean_row, matmul_compact_row
from tinygen.ops.conv2d_block import block_rows
from tinygen.ops.conv2d_float import convolved, float_row
from tinygen.ops.conv2d_lowering import Convolution, convolution_rows, is_inside
from tinygen.ops.conv2d_mve import conv2d_mve_row, matmul_mve_row
from tinygen.ops.conv2d_offset import offset_rows
from tinygen.ops.conv2d_trio import trio_row
from tinygen.ops.conv2d_wide import wide_row
from tinygen.ops.conv2d_winograd import winograd_rows
from tinygen.ops.convolution import (
    CONVOLUTION_RULES,
    bias_values,
    check_bias_type,
    convolution_inputs,
    exact_matmul,
    for_int8,
    matmul_call,
    matmul_row,
    real_multipliers,
    results_of,
    scaling_of,
)
from tinygen.ops.floating import is_float
from tinygen.ops.four_bits import compressed_conv2d_row
from tinygen.ops.hybrid import HYBRID_RULES, Scheme, hybrid_row, is_hybrid
from tinygen.ops.matmul_trio import matmul_trio_row
from tinygen.ops.matmul_twist import twist_rows
from tinygen.ops.tolerance import SUM
from tinygen.ops.twist import convolution_scaling
from tinygen.ops.window import patches


@dataclass(frozen=True, slots=True, eq=False)
class Conv2D(Convolution):
    """y[n, oy, ox, o] = act(sum over ky, kx, i of x * weights[o, ky, kx, i] + bias[o]).

    ``weights`` are [out_c, kernel_h, kernel_w, in_c / groups].
    """

    kind: ClassVar[str] = "CONV_2D"
    wide_biases: ClassVar[tuple[DType, ...]] = (DType.INT64, DType.INT32)

    @property
    def groups(self) -> int:
        """Channel groups that are convolved apart; 1 for an ordinary convolution."""
        return self.x.shape[3] // self.weights.shape[3]


def parse(node: Node) -> Conv2D:
    """Read the node.

    Raises ModelError where its shapes cannot be a convolution's, UnsupportedError for types of bias
    and sums that go with no kernel.
    """
    import tflite

    options = node.options(tflite.Conv2DOptions)
    x, weights, window = convolution_inputs(node, options)
    check_bias_type(node, options.QuantizedBiasType())
    y = node.outputs[0]
    in_c, out_c, group_c = x.shape[3], y.shape[3], weights.shape[3]
    if weights.shape[0] != out_c or group_c < 1 or in_c % group_c or out_c % (in_c // group_c):
        raise ModelError(
            f"CONV_2D '{node.name}': weights {weights.shape} do not fit input {x.shape} "
            f"and output {y.shape}"
        )
    return Conv2D(
        node.name,
        node.present,
        node.outputs,
        window,
        node.activation(options.FusedActivationFunction()),
    )


def reference(op: Conv2D, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::ConvPerChannel, reference_ops::Conv for floats."""
    if is_hybrid(op):
        return (hybrid.convolved(op, values[0], *grouped(op), scheme(op)),)
    if is_float(op):
        return (convolved(op, values[0], *grouped(op)),)
    n, out_h, out_w, out_c = op.y.shape
    taken = patches(values[0], op.window, (out_h, out_w), op.x.zero_point)
    offset = taken.astype(np.int64) - op.x.zero_point
    weights = op.effective_weights
    depth = weights[0].size
    per_group = out_c // op.groups
    parts = [
        exact_matmul(
            group.reshape(n * out_h * out_w, depth),
            weights[g * per_group : (g + 1) * per_group].reshape(per_group, depth).T,
        )
        for g, group in enumerate(np.split(offset, op.groups, axis=-1))
    ]
    sums = np.concatenate(parts, axis=-1) + bias_values(op, out_c)
    scaling = scaling_of(real_multipliers(op), out_c)
    return (results_of(op, sums, scaling).reshape(op.y.shape),)


def accumulators(op: Conv2D, bounds_of: BoundsOf) -> Interval:
    """Bounds of each output channel's accumulator, bias included, not wrapped to 32 bits."""
    out_c = op.y.shape[3]
    padded = not is_inside(op.x, op.y, op.window)
    offsets = offsets_of(bounds_of(op.x), op.x.zero_point, padded=padded)
    weights = op.effective_weights.reshape(out_c, -1, op.weights.shape[3])
    return accumulated(weights, per_output(offsets, op.groups, out_c), bias_values(op, out_c))


def bounds(op: Conv2D, bounds_of: BoundsOf) -> Interval:
    """What each output channel can be."""
    scaling = scaling_of(real_multipliers(op), op.y.shape[3])
    return fixed_point_bounds(op, accumulators(op, bounds_of), scaling)


def macs(op: Conv2D) -> int:
    """Multiply-accumulates, padding taps included (TFLite's convention)."""
    return op.y.elements * op.weights.elements // op.weights.shape[0]


def is_matmul(op: Conv2D) -> bool:
    """Whether every patch is a run of the input's bytes: 1x1, or one patch that is all of it."""
    whole = op.window.kernel == op.x.shape[1:3] and op.window.dilation == (1, 1)
    one_by_one = op.window.kernel == (1, 1) and op.window.stride == (1, 1)
    inside = op.window.pad == (0, 0) and op.groups == 1
    same_size = op.y.shape[1:3] == op.x.shape[1:3]
    return inside and ((one_by_one and same_size) or (whole and op.y.shape[1:3] == (1, 1)))


def lower_matmul(op: Conv2D) -> tuple[Call, ...]:
    """The call of ``tg_matmul_s8``."""
    weights = op.weights.values.reshape(op.y.shape[3], -1)
    return (matmul_call(op, weights, scaling_of(real_multipliers(op), len(weights))),)


def grouped(op: Conv2D) -> tuple[Array, int]:
    """Weights and groups, as the kernels have them."""
    return op.weights.values, op.groups


def scheme(op: Conv2D) -> Scheme:
    """LiteRT quantizes images asymmetrically where weights have a scale per channel."""
    assert op.weights.quant is not None
    per_channel = op.weights.quant.per_channel
    return Scheme(asymmetric=per_channel, one_by_one=per_channel)


CONV_2D = OpDef(
    op=Conv2D,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    parse=parse,
    rules=(*HYBRID_RULES, *CONVOLUTION_RULES),
    reference=reference,
    kernels=(
        *for_int8(
            matmul_mve_row(is_matmul, convolution_scaling),
            conv2d_mve_row(),
            *winograd_rows(),
            *block_rows(),
            *twist_rows(is_matmul, convolution_scaling),
            conv2d_compact_row(),
            matmul_compact_row(is_matmul, convolution_scaling),
            conv2d_lean_row(),
            matmul_row(lower_matmul, is_matmul, Isa.DSP),
            *convolution_rows(grouped, Isa.DSP),
            trio_row(grouped),
            matmul_trio_row(lower_matmul, is_matmul),
            matmul_row(lower_matmul, is_matmul),
            *convolution_rows(grouped),
        ),
        compressed_conv2d_row(grouped),
        *offset_rows(grouped),
        wide_row(grouped),
        float_row(grouped),
        hybrid_row(grouped, scheme),
    ),
    macs=macs,
    bounds=bounds,
    tolerance=SUM,
)
