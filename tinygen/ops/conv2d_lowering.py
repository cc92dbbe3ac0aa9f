"""Kernel rows of a convolution with any geometry and groups: CONV_2D, and depthwise as one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tinygen.ir import Activation, Array, Tensor
from tinygen.isa import Isa
from tinygen.ops import trio
from tinygen.ops.base import Call, Kernel
from tinygen.ops.convolution import (
    Fields,
    Params,
    Scaling,
    Weighted,
    WeightedOp,
    folded_bias,
    output_fields,
    real_multipliers,
    scaling_of,
)
from tinygen.ops.window import Window

WORD = 4


@dataclass(frozen=True, slots=True, eq=False)
class Convolution(WeightedOp):
    """An operator that slides a window of weights over an image."""

    window: Window
    activation: Activation


C = TypeVar("C", bound=Convolution)


def window_fields(x: Tensor, y: Tensor, window: Window) -> Fields:
    """The fields that every windowed kernel's shape has."""
    return (
        ("batches", x.shape[0]),
        ("in_h", x.shape[1]),
        ("in_w", x.shape[2]),
        ("out_h", y.shape[1]),
        ("out_w", y.shape[2]),
        ("kernel_h", window.kernel[0]),
        ("kernel_w", window.kernel[1]),
        ("stride_h", window.stride[0]),
        ("stride_w", window.stride[1]),
        ("pad_top", window.pad[0]),
        ("pad_left", window.pad[1]),
    )


def dilation_fields(window: Window) -> Fields:
    """The fields that a convolution's shape has beside ``window_fields``."""
    return (("dilation_h", window.dilation[0]), ("dilation_w", window.dilation[1]))


def convolution_rows(
    grouped: Callable[[C], tuple[Array, int]], needs: Isa = Isa.ANY
) -> tuple[Kernel[C], ...]:
    """The rows for any geometry, the last for all; with and without the DSP extension.

    ``grouped`` gives the weights as [out_c, kernel_h, kernel_w, in_c / groups], and the groups.
    """
    alignment, suffix = (WORD, "_dsp") if needs else (1, "")

    def lower(op: C) -> tuple[Call, ...]:
        return (conv2d_call(op, op.window, *grouped(op)),)

    def lower_patches(op: C) -> tuple[Call, ...]:
        return (patches_call(op, op.window, *grouped(op), alignment),)

    def fits(op: C) -> bool:
        return small_patches(op.x, op.y, grouped(op)[0][0].size)

    def row(
        stem: str,
        lowering: Callable[[C], tuple[Call, ...]],
        takes: Callable[[C], bool] = lambda op: True,
    ) -> Kernel[C]:
        name = stem + suffix
        return Kernel(name, f"{name}.h", "tg_conv2d_s8", lowering, needs, takes, scratch=True)

    return (
        row("tg_conv2d_patches_s8", lower_patches, fits),
        row("tg_conv2d_s8", lower),
    )


def conv2d_call(op: Weighted, window: Window, weights: Array, groups: int) -> Call:
    """The call of ``tg_conv2d_s8`` for ``weights`` [out_c, kernel_h, kernel_w, in_c / groups].

    Where the kernel hangs over the border, the scratch holds zero points for the longest run that
    two neighbouring pixels read, or for a single tap where that would take too much.
    """
    in_c = op.x.shape[3]
    is_run = window.dilation[1] == 1 and groups == 1
    run = window.kernel[1] * in_c if is_run else in_c // groups
    zeros = run + window.stride[1] * in_c
    if is_inside(op.x, op.y, window):
        zeros = 0
    elif not is_affordable(op.x, op.y, zeros):
        zeros = in_c // groups
    rows = weights.reshape(len(weights), -1)
    return convolution_call(op, window, rows, groups, zeros, scratch_bytes=zeros)


def patches_call(
    op: Weighted, window: Window, weights: Array, groups: int, alignment: int = 1
) -> Call:
    """The call of ``tg_conv2d_patches_s8``: the scratch holds two patches.

    Rows of weights and patches are padded to a multiple of ``alignment`` bytes.
    """
    rows = weights.reshape(len(weights), -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % alignment)))
    return convolution_call(op, window, rows, groups, zeros=0, scratch_bytes=2 * rows.shape[1])


def small_patches(x: Tensor, y: Tensor, depth: int) -> bool:
    """Whether the scratch can hold two patches of ``depth`` bytes."""
    aligned = -(-depth // WORD) * WORD
    return is_affordable(x, y, 2 * aligned)


def is_affordable(x: Tensor, y: Tensor, scratch_bytes: int) -> bool:
    """Whether the scratch takes at most 1% of the input and the output.

    Both are alive with the scratch, so it cannot raise the arena by more than 1%.
    """
    return scratch_bytes * 100 <= x.nbytes + y.nbytes


def trio_call(op: Weighted, window: Window, weights: Array, groups: int) -> Call:
    """The call of ``tg_conv2d_trio_s8``: the scratch holds six patches, three values in two words,
    and, unless all lie in the image as they are, a row of each.
    """
    rows = weights.reshape(len(weights), -1)
    run = weights[0, 0].size
    is_direct = is_inside(op.x, op.y, window) and (
        window.kernel[1] == 1 or (window.dilation[1] == 1 and groups == 1)
    )
    scratch_bytes = trio.STEP_BYTES * rows.shape[1] + (0 if is_direct else trio.LANES * run)
    return convolution_call(op, window, rows, groups, 0, scratch_bytes, chunk=trio.chunk_of(rows))


def convolution_call(
    op: Weighted,
    window: Window,
    rows: Array,
    groups: int,
    zeros: int,
    scratch_bytes: int,
    chunk: int = 0,
    weights_zero_point: int = 0,
) -> Call:
    """The call of a convolution for ``rows`` of weights [out_c, depth]; for the rest see
    ``sums_call``."""
    geometry = (*window_fields(op.x, op.y, window), *dilation_fields(window))
    return sums_call(
        op,
        (*geometry, ("in_c", op.x.shape[3]), ("groups", groups)),
        rows,
        scaling_of(real_multipliers(op), len(rows)),
        rows,
        scratch_bytes,
        zeros,
        chunk,
        weights_zero_point,
    )


def sums_call(
    op: Weighted,
    geometry: Fields,
    rows: Array,
    scaling: Scaling,
    stored: Array,
    scratch_bytes: int,
    zeros: int = 0,
    chunk: int = 0,
    weights_zero_point: int = 0,
) -> Call:
    """A call over ``tg_conv2d_s8``'s shape for ``rows`` of weights [out_c, depth].

    ``stored`` is how the kernel has them; from all of them ``weights_zero_point`` is subtracted.
    """
    own = rows.astype(np.int64) - weights_zero_point
    bias = folded_bias(op, own.sum(axis=1))
    output_shape, output_params = output_fields(op, scaling, bias, own)
    shape = (
        *geometry,
        ("out_c", len(rows)),
        ("depth", rows.shape[1]),
        ("zeros", zeros),
        ("chunk", chunk),
        ("weights_zero_point", weights_zero_point),
        *output_shape,
    )
    params: Params = (
        ("weights", stored),
        ("input_zero_point", op.x.zero_point),
        *output_params,
    )
    return Call(shape, params, (op.x,), (op.y,), scratch_bytes)


def is_inside(x: Tensor, y: Tensor, window: Window) -> bool:
    """Whether no window hangs over the border."""
    ends = (
        (y.shape[1 + i] - 1) * window.stride[i]
        - window.pad[i]
        + (window.kernel[i] - 1) * window.dilation[i]
        for i in (0, 1)
    )
    return window.pad == (0, 0) and all(
        end < size for end, size in zip(ends, x.shape[1:3], strict=True)
    )
