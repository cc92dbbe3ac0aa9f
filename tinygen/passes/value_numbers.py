"""Value numbering: channels with the same number hold the same values for every input.

A channel's number stands for the computation that makes it: the operator's kind and parameters,
and the numbers of the channels that it reads. What is not understood gets a number of its own.
"""

from collections.abc import Hashable
from itertools import count

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Graph, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.base import channels_of
from tinygen.ops.convolution import bias_values
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.floating import is_float
from tinygen.passes.channel_links import links
from tinygen.passes.mixing import Mixing, bias_of, columns_of, factors_of, is_mixing


def value_numbers(graph: Graph) -> dict[Tensor, Integers]:
    """One number for each channel of the inputs, of the states and of every result."""
    return _Numbering(graph).numbers


class _Numbering:
    """The numbers given so far, and the computations that they stand for."""

    def __init__(self, graph: Graph) -> None:
        self.fresh = count()
        self.known: dict[Hashable, int] = {}
        self.numbers = {t: self._new(t) for t in graph.sources}
        for op in graph.ops:
            self.numbers |= {t: self._new(t) for t in op.outputs[1:]}
            self.numbers[op.y] = self._of(op)

    def _new(self, tensor: Tensor) -> Integers:
        return np.array([next(self.fresh) for _ in range(channels_of(tensor))], np.int64)

    def _of(self, op: Op) -> Integers:
        keys: list[Hashable] | None
        if not op.activations or len(op.outputs) > 1:
            keys = None
        elif is_mixing(op):
            keys = self._mixed(op)
        elif is_float(op):
            keys = None
        elif isinstance(op, DepthwiseConv2D):
            keys = self._depthwise(op)
        else:
            keys = self._linked(op)
        if keys is None:
            return self._new(op.y)
        return np.array([self._number(key) for key in keys], np.int64)

    def _number(self, key: Hashable) -> int:
        if key not in self.known:
            self.known[key] = next(self.fresh)
        return self.known[key]

    def _mixed(self, op: Mixing) -> list[Hashable] | None:
        """A weighted sum is known by its bias, its scale, and what it weights equal inputs with."""
        columns = columns_of(op)
        if columns is None:
            return None
        order = np.argsort(self.numbers[op.x], kind="stable")
        distinct, starts = np.unique(self.numbers[op.x][order], return_index=True)
        sums = np.add.reduceat(columns[:, :, order], starts, axis=2)
        common = (_setting(op, op.x), distinct.tobytes())
        rows = zip(factors_of(op), bias_of(op).tolist(), sums, strict=True)
        return [(common, scale, bias, row.tobytes()) for scale, bias, row in rows]

    def _depthwise(self, op: DepthwiseConv2D) -> list[Hashable]:
        """A channel convolved by itself is known by it, its bias, its scale and its weights."""
        channels = channels_of(op.y)
        own = self.numbers[op.x][np.arange(channels) // op.depth_multiplier]
        common = _setting(op, op.x)
        taps = op.effective_weights.reshape(-1, channels).T
        biases = bias_values(op, channels)
        rows = zip(own.tolist(), factors_of(op), biases.tolist(), taps, strict=True)
        return [(common, number, scale, bias, row.tobytes()) for number, scale, bias, row in rows]

    def _linked(self, op: Op) -> list[Hashable] | None:
        """A channel made of single channels of all activations is known by them, in their order."""
        found = links(op) or ()
        linked = {link.index for link in found}
        apart = [t for i, t in enumerate(op.inputs) if i not in linked]
        if not all(t.is_constant for t in apart):
            return None
        common = (_setting(op, *op.inputs), tuple(t.values.tobytes() for t in apart))
        keys: list[tuple[Hashable, ...]] = [(common,)] * channels_of(op.y)
        for link in found:
            tensor = op.inputs[link.index]
            for source, target in zip(link.inputs.tolist(), link.outputs.tolist(), strict=True):
                # Of a view whose pixels are several of the input's, which one of them it is.
                pixel = target // channels_of(tensor) if definition_of(op).is_view else 0
                keys[target] += (pixel, self._source(tensor, source))
        return list(keys)

    def _source(self, tensor: Tensor, channel: int) -> Hashable:
        if tensor.is_constant:
            return tensor.values[..., channel].tobytes()
        return int(self.numbers[tensor][channel])


def _setting(op: Op, *inputs: Tensor) -> Hashable:
    """All that the channels of ``op`` share beside the values of ``inputs``."""
    tensors = tuple((t.shape, t.dtype, t.quant) for t in (*inputs, op.y))
    return op.kind, tuple(op.attributes().values()), tensors
