"""A PAD before a convolution copies a whole tensor to say what the convolution's own padding says
for nothing.

Exact: PAD adds elements whose stored value is the zero point, which the convolution turns into
zeros; elements outside its input count as zeros too. The window moves by what was added at the top
and left; the output's shape, which is fixed already, accounts for the bottom and right.
"""

from dataclasses import replace

from tinygen.ir import DType, Graph, Op
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.pad import Pad
from tinygen.passes.rewrite import with_ops

CONVOLUTIONS = (Conv2D, DepthwiseConv2D)


def fuse_pad(graph: Graph) -> Graph:
    """Let convolutions read a PAD's input where nothing else reads its output."""
    for pad in reversed(graph.ops):  # of two in a row, the second first
        if not isinstance(pad, Pad) or pad.y in graph.results or not pads_images_with_zeros(pad):
            continue
        fused = {id(op): with_pad(op, pad) for op in graph.consumers(pad.y)}
        if all(fused.values()):
            rest = (op for op in graph.ops if op is not pad)
            graph = with_ops(graph, [fused.get(id(op)) or op for op in rest])
    return graph


def pads_images_with_zeros(pad: Pad) -> bool:
    """Whether ``pad`` adds rows and columns that stand for the real value 0, and nothing else."""
    x, y = pad.x, pad.y
    if len(x.shape) != 4 or x.dtype is not DType.INT8 or x.quant is None or x.quant != y.quant:
        return False
    batch, _, _, channels = pad.paddings
    return batch == channels == (0, 0) and pad.fill == x.zero_point


def with_pad(op: Op, pad: Pad) -> Op | None:
    """``op`` reading the input of ``pad``; None if it is no convolution of an image."""
    if not isinstance(op, CONVOLUTIONS) or op.x is not pad.y or pad.y in op.inputs[1:]:
        return None
    _, (top, _), (left, _), _ = pad.paddings
    shifted = (op.window.pad[0] + top, op.window.pad[1] + left)
    return replace(op, inputs=(pad.x, *op.inputs[1:]), window=replace(op.window, pad=shifted))
