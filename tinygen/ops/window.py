"""Sliding windows: the geometry that convolutions and pools share."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.errors import ModelError
from tinygen.ir import Array, Tensor
from tinygen.ops.base import Node

Pair = tuple[int, int]
SAME, VALID = 0, 1  # the schema's Padding codes
FARTHEST = 1 << 30  # what kernels, strides and their sums may reach, in 32 bits


@dataclass(frozen=True, slots=True)
class Window:
    """Kernel positions over an NHWC image; all pairs are (height, width), ``pad`` (top, left)."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    pad: Pair

    def __str__(self) -> str:
        pairs = (self.kernel, self.stride, self.dilation, self.pad)
        return "k{}x{}s{}x{}d{}x{}p{}x{}".format(*(value for pair in pairs for value in pair))


def window_of(
    node: Node, x: Tensor, y: Tensor, kernel: Pair, stride: Pair, dilation: Pair, scheme: int
) -> Window:
    """The window of ``node``, whose padding scheme is the schema's SAME (0) or VALID (1).

    Source: TFLite's padding.h: out = ceil(in / stride) for SAME and
    ceil((in - effective_kernel + 1) / stride) for VALID; an odd surplus goes to the bottom and
    right. Raises ModelError where the attributes or the shapes cannot be.
    """
    where = f"{node.kind} '{node.name}'"
    if len(x.shape) != 4 or len(y.shape) != 4:
        raise ModelError(
            f"{where}: input and output must have 4 dimensions (NHWC), "
            f"not {len(x.shape)} and {len(y.shape)}"
        )
    if x.shape[0] != y.shape[0]:
        raise ModelError(f"{where}: {x.shape[0]} images go in, {y.shape[0]} come out")
    if min(*kernel, *stride, *dilation) < 1:
        raise ModelError(
            f"{where}: kernel {kernel}, stride {stride} and dilation {dilation} must be positive"
        )
    if scheme not in (SAME, VALID):
        raise ModelError(f"{where}: unknown padding scheme {scheme}")
    pads = []
    for axis in (0, 1):
        size, out = x.shape[1 + axis], y.shape[1 + axis]
        effective = (kernel[axis] - 1) * dilation[axis] + 1
        if max(effective, stride[axis]) > FARTHEST:
            raise ModelError(
                f"{where}: kernel {kernel}, stride {stride} and dilation {dilation} reach further "
                f"than {FARTHEST}"
            )
        reach = size + stride[axis] - 1 if scheme == SAME else size - effective + stride[axis]
        if out != reach // stride[axis] or out < 1:
            raise ModelError(
                f"{where}: output {y.shape} does not follow from input {x.shape} and "
                f"kernel {kernel}, stride {stride}, dilation {dilation}"
            )
        pads.append(max(0, (out - 1) * stride[axis] + effective - size) // 2)
    return Window(kernel, stride, dilation, (pads[0], pads[1]))


def patches(x: Array, window: Window, out: Pair, fill: float) -> Array:
    """Every window's elements: [n, out_h, out_w, kernel_h, kernel_w, c]; ``fill`` outside ``x``."""
    rows = _indices(out[0], window, 0)
    columns = _indices(out[1], window, 1)
    inside_rows = (rows >= 0) & (rows < x.shape[1])
    inside_columns = (columns >= 0) & (columns < x.shape[2])
    taken = x[
        :,
        np.where(inside_rows, rows, 0)[:, None, :, None],
        np.where(inside_columns, columns, 0)[None, :, None, :],
    ]
    inside = inside_rows[:, None, :, None] & inside_columns[None, :, None, :]
    return np.where(inside[None, ..., None], taken, np.asarray(fill, x.dtype))


def _indices(out: int, window: Window, axis: int) -> npt.NDArray[np.int64]:
    first = np.arange(out) * window.stride[axis] - window.pad[axis]
    return first[:, None] + np.arange(window.kernel[axis]) * window.dilation[axis]
