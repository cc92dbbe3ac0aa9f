"""Which channels of an operator's input become which of its output: who removes some must know."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.interval import Integers
from tinygen.ir import Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.base import channels_of
from tinygen.ops.binary import Binary
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.elementwise import Elementwise
from tinygen.ops.hybrid import is_hybrid
from tinygen.ops.lookup import Lookup
from tinygen.ops.mean import Mean
from tinygen.ops.pad import Pad
from tinygen.ops.pool2d import Pool2D
from tinygen.ops.quantize import Quantize

Mask = npt.NDArray[np.bool_]

# Operators that keep the channels of their first input, each apart.
CHANNELWISE = (
    Dequantize,
    Elementwise,
    Lookup,
    Pool2D,
    Quantize,
)


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """Channel ``inputs[i]`` of input ``index`` becomes channel ``outputs[i]`` of the output.

    The two can only be removed together.
    """

    index: int
    inputs: Integers
    outputs: Integers


def links(op: Op) -> tuple[Link, ...] | None:
    """The links of ``op``; None if a channel of the output may need any of the input.

    An input without a link takes part in all channels.
    """
    if not op.y.shape or not op.x.shape:
        return None
    channels = channels_of(op.y)
    if isinstance(op, CHANNELWISE):
        return (_same(0, channels),)
    if isinstance(op, DepthwiseConv2D):
        if is_hybrid(op):
            return None  # all channels decide how the image is quantized
        outputs = np.arange(channels)
        return (Link(0, outputs // op.depth_multiplier, outputs),)
    if isinstance(op, Pad):
        return (_same(0, channels),) if op.paddings[-1] == (0, 0) else None
    if isinstance(op, Mean):
        return None if len(op.x.shape) - 1 in op.axes else (_same(0, channels),)
    if isinstance(op, Binary):
        wide = (i for i, t in enumerate(op.inputs) if t.shape and t.shape[-1] == channels)
        return tuple(_same(i, channels) for i in wide)
    if isinstance(op, Concatenation):
        return _concatenated(op)
    return _viewed(op) if definition_of(op).is_view else None


def kept_by_link(tensor: Tensor, link: Link, kept: Mask) -> Mask:
    """The channels of an input that belong to the ``kept`` channels of the output."""
    mask = np.zeros(channels_of(tensor), bool)
    mask[link.inputs[kept[link.outputs]]] = True
    return mask


def _same(index: int, channels: int) -> Link:
    return Link(index, np.arange(channels), np.arange(channels))


def _concatenated(op: Concatenation) -> tuple[Link, ...]:
    if op.axis < len(op.y.shape) - 1:
        return tuple(_same(i, op.y.shape[-1]) for i in range(len(op.inputs)))
    sizes: Sequence[int] = [t.shape[-1] for t in op.inputs]
    starts = np.cumsum([0, *sizes])
    return tuple(
        Link(i, np.arange(size), starts[i] + np.arange(size)) for i, size in enumerate(sizes)
    )


def _viewed(op: Op) -> tuple[Link, ...] | None:
    """A place tells the channel where one last axis is a multiple of the other."""
    before, after = channels_of(op.x), channels_of(op.y)
    if after % before == 0:
        return (Link(0, np.arange(after) % before, np.arange(after)),)
    if before % after == 0:
        return (Link(0, np.arange(before), np.arange(before) % after),)
    return None
