"""CONV_2D and FULLY_CONNECTED on float32: the row, and the numpy reference of both."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, only_for
from tinygen.ops.conv2d_lowering import Convolution, dilation_fields, window_fields
from tinygen.ops.convolution import Fields, Weighted, WeightedOp
from tinygen.ops.floating import Floats, bias_of, clamp_fields, clamped, ordered_matmul
from tinygen.ops.hybrid import is_hybrid
from tinygen.ops.window import patches

C = TypeVar("C", bound=Convolution)
W = TypeVar("W", bound=WeightedOp)


def convolved(op: Convolution, x: Array, weights: Array, groups: int) -> Floats:
    """The results for ``weights`` [out_c, kernel_h, kernel_w, in_c / groups].

    Source: TFLite's reference_ops::Conv. What padding adds here is 0 times a weight.
    """
    n, out_h, out_w, out_c = op.y.shape
    taken = patches(x, op.window, (out_h, out_w), 0.0)
    per_group = out_c // groups
    parts = [
        ordered_matmul(
            group.reshape(n * out_h * out_w, -1),
            weights[g * per_group : (g + 1) * per_group].reshape(per_group, -1),
        )
        for g, group in enumerate(np.split(taken, groups, axis=-1))
    ]
    sums = np.concatenate(parts, axis=-1) + bias_of(op.bias, out_c)
    return clamped(sums, op.activation).reshape(op.y.shape)


def float_row(grouped: Callable[[C], tuple[Array, int]]) -> Kernel[C]:
    """The row for any geometry; ``grouped`` gives the weights as ``convolved`` takes them, and
    the groups."""

    def lower(op: C) -> tuple[Call, ...]:
        geometry = (*window_fields(op.x, op.y, op.window), *dilation_fields(op.window))
        return (float_call(op, geometry, *grouped(op)),)

    return float_kernel(lower)


def float_kernel(lower: Callable[[W], tuple[Call, ...]]) -> Kernel[W]:
    """The row of ``tg_conv2d_f32`` with a ``lower`` of its own."""
    name = "tg_conv2d_f32"
    row: Kernel[W] = Kernel(name, f"{name}.h", name, lower, fits=lambda op: not is_hybrid(op))
    return only_for(DType.FLOAT32, row)[0]


def float_call(op: Weighted, geometry: Fields, weights: Array, groups: int) -> Call:
    """The call of ``tg_conv2d_f32`` for ``weights`` [out_c, ...] and a given geometry."""
    out_c = len(weights)
    shape = (
        *geometry,
        ("in_c", groups * weights.shape[-1]),
        ("out_c", out_c),
        ("groups", groups),
    )
    params = (
        ("weights", weights.reshape(out_c, -1)),
        ("bias", bias_of(op.bias, out_c)),
        *clamp_fields(op.activation),
    )
    return Call(shape, params, (op.x,), (op.y,))
