"""CONV_2D: two-dimensional convolution, NHWC, int8 with int8 weights."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Activation, Array, Op, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, int8_per_tensor
from tinygen.ops.convolution import (
    bias_values,
    constant_weights,
    exact_matmul,
    folded_bias,
    fused_clamp,
    int8_weights,
    output_multipliers,
    requantized,
    wrap_int32,
)
from tinygen.ops.window import Window, patches, window_of
from tinygen.quant import activation_range


@dataclass(frozen=True, slots=True, eq=False)
class Conv2D(Op):
    """y[n, oy, ox, o] = act(sum over ky, kx, i of x * weights[o, ky, kx, i] + bias[o])."""

    kind: ClassVar[str] = "CONV_2D"

    window: Window
    activation: Activation

    @property
    def weights(self) -> Tensor:
        """int8 [out_c, kernel_h, kernel_w, in_c / groups]."""
        return self.inputs[1]

    @property
    def bias(self) -> Tensor | None:
        """int32 [out_c], if the model has one."""
        return self.inputs[2] if len(self.inputs) > 2 else None

    @property
    def groups(self) -> int:
        """Channel groups that are convolved apart; 1 for an ordinary convolution."""
        return self.x.shape[3] // self.weights.shape[3]


def parse(node: Node) -> Conv2D:
    """Read the node. Raises ModelError where its shapes cannot be a convolution's."""
    import tflite

    node.arity(range(2, 4))
    x, weights, y = node.present[0], node.present[1], node.outputs[0]
    options = node.options(tflite.Conv2DOptions)
    if len(weights.shape) != 4:
        raise ModelError(
            f"CONV_2D '{node.name}': weights have {len(weights.shape)} dimensions, not 4"
        )
    window = window_of(
        node,
        x,
        y,
        kernel=(weights.shape[1], weights.shape[2]),
        stride=(options.StrideH(), options.StrideW()),
        dilation=(options.DilationHFactor(), options.DilationWFactor()),
        scheme=options.Padding(),
    )
    in_c, out_c, group_c = x.shape[3], y.shape[3], weights.shape[3]
    if weights.shape[0] != out_c or group_c < 1 or in_c % group_c or out_c % (in_c // group_c):
        raise ModelError(
            f"CONV_2D '{node.name}': weights {weights.shape} do not fit input {x.shape} "
            f"and output {y.shape}"
        )
    if len(node.present) > 2 and node.present[2].shape != (out_c,):
        raise ModelError(f"CONV_2D '{node.name}': bias {node.present[2].shape} is not ({out_c},)")
    return Conv2D(
        node.name,
        node.present,
        node.outputs,
        window,
        node.activation(options.FusedActivationFunction()),
    )


def reference(op: Conv2D, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::ConvPerChannel."""
    n, out_h, out_w, out_c = op.y.shape
    taken = patches(values[0], op.window, (out_h, out_w), op.x.zero_point)
    offset = taken.astype(np.int64) - op.x.zero_point
    weights = op.weights.values
    depth = weights[0].size
    per_group = out_c // op.groups
    parts = [
        exact_matmul(
            group.reshape(n * out_h * out_w, depth),
            weights[g * per_group : (g + 1) * per_group].reshape(per_group, depth).T,
        )
        for g, group in enumerate(np.split(offset, op.groups, axis=-1))
    ]
    accumulators = wrap_int32(np.concatenate(parts, axis=-1) + bias_values(op, out_c))
    return (requantized(op, accumulators).reshape(op.y.shape),)


def macs(op: Conv2D) -> int:
    """Multiply-accumulates, padding taps included (TFLite's convention)."""
    return op.y.elements * op.weights.values[0].size


def lower(op: Conv2D) -> tuple[Call, ...]:
    """The call of ``tg_conv2d_s8``."""
    _, in_h, in_w, in_c = op.x.shape
    _, out_h, out_w, out_c = op.y.shape
    window, weights = op.window, op.weights.values
    multiplier, shift = output_multipliers(op, out_c)
    low, high = activation_range(op.activation, op.y)
    shape = (
        ("in_h", in_h),
        ("in_w", in_w),
        ("in_c", in_c),
        ("out_h", out_h),
        ("out_w", out_w),
        ("out_c", out_c),
        ("kernel_h", window.kernel[0]),
        ("kernel_w", window.kernel[1]),
        ("stride_h", window.stride[0]),
        ("stride_w", window.stride[1]),
        ("dilation_h", window.dilation[0]),
        ("dilation_w", window.dilation[1]),
        ("pad_top", window.pad[0]),
        ("pad_left", window.pad[1]),
    )
    params = (
        ("weights", weights),
        ("bias", folded_bias(op, weights.reshape(out_c, -1).sum(axis=1, dtype=np.int64))),
        ("multiplier", multiplier),
        ("shift", shift),
        ("input_zero_point", op.x.zero_point),
        ("output_zero_point", op.y.zero_point),
        ("output_min", low),
        ("output_max", high),
    )
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes=weights[0].size),)


def ungrouped(op: Conv2D) -> str:
    """All input channels are convolved together (one group).

    Split the convolution by groups in the model.
    """
    return f"{op.groups} groups" if op.groups > 1 else ""


CONV_2D = OpDef(
    op=Conv2D,
    parse=parse,
    rules=(int8_per_tensor, constant_weights, int8_weights, fused_clamp, ungrouped),
    reference=reference,
    kernels=(Kernel("tg_conv2d_s8", "tg_conv2d_s8.h", "tg_conv2d_s8", lower, scratch=True),),
    macs=macs,
)
