"""A channel that no result depends on costs the weights that make it and those that read it.

Exact, because what is dropped has no way to an output: a channel goes only where nobody reads it or
every weight that reads it is zero, and operators that treat channels apart lose it on both sides.
The model's inputs, outputs and states keep theirs, and every operator keeps one.
"""

from dataclasses import replace

import numpy as np

from tinygen.ir import Graph, Op, Tensor, with_tensors
from tinygen.ops.base import channels_of
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected
from tinygen.passes.channel_links import Mask, kept_by_link, links
from tinygen.passes.mixing import Mixing, columns_of, is_mixing, with_columns, with_outputs
from tinygen.passes.rewrite import with_ops

Masks = dict[Tensor, Mask]


def drop_unread_channels(graph: Graph) -> Graph:
    """Remove the channels that do not lead to an output of the graph."""
    kept = needed_channels(graph)
    by = {
        t: replace(t, shape=(*t.shape[:-1], int(mask.sum())), bounds=None)
        for t, mask in kept.items()
        if not mask.all()
    }
    if not by:
        return graph
    return with_ops(graph, [with_tensors(narrowed(op, kept), by) for op in graph.ops])


def needed_channels(graph: Graph) -> Masks:
    """For each activation the channels that must stay: the least set that demands no more."""
    made = [t for op in graph.ops for t in op.outputs]
    kept = {t: np.zeros(channels_of(t), bool) for t in (*graph.sources, *made)}
    for tensor in (*graph.sources, *graph.results):
        if tensor in kept:
            kept[tensor][:] = True
    _close(graph, kept)
    for tensor in reversed(made):
        if not kept[tensor].any():
            kept[tensor][0] = True
            _close(graph, kept)
    return kept


def _close(graph: Graph, kept: Masks) -> None:
    """Add to ``kept`` what its channels demand, until nothing is missing."""
    count = -1
    while (total := sum(int(mask.sum()) for mask in kept.values())) != count:
        count = total
        for op in reversed(graph.ops):
            _demand(op, kept)


def _demand(op: Op, kept: Masks) -> None:
    """Add to ``kept`` what ``op`` demands of its inputs for its output, and the other way round."""
    if not op.activations or len(op.outputs) > 1:  # fold_constants will see to the former
        for tensor in (*op.activations, *op.outputs):
            kept[tensor][:] = True
    elif is_mixing(op):
        _demand_of_sums(op, kept)
    else:
        _demand_of_links(op, kept)


def _demand_of_sums(op: Mixing, kept: Masks) -> None:
    mask, columns = kept[op.y], columns_of(op)
    if columns is not None:
        kept[op.x] |= columns[mask].any(axis=(0, 1))
    else:
        kept[op.x][:] = True
        mask |= isinstance(op, Conv2D)  # groups are of one size
    if isinstance(op, FullyConnected) and mask.sum() == 1:
        # A scale left alone would count as the tensor's, whose product is taken in float32.
        per_channel = op.weights.quant is not None and op.weights.quant.per_channel
        mask[np.flatnonzero(~mask)[:1]] = per_channel


def _demand_of_links(op: Op, kept: Masks) -> None:
    mask, found = kept[op.y], links(op)
    if found is None:
        mask[:] = True
    for link in found or ():
        tensor = op.inputs[link.index]
        if not tensor.is_constant:
            kept[tensor] |= kept_by_link(tensor, link, mask)
            mask[link.outputs] |= kept[tensor][link.inputs]
    linked = {link.index for link in found or ()}
    for index, tensor in enumerate(op.inputs):
        if index not in linked and not tensor.is_constant:
            kept[tensor][:] = True


def narrowed(op: Op, kept: Masks) -> Op:
    """``op`` with the constants for the channels that stay; its activations are still the old."""
    mask = kept[op.y]
    if mask.all() and all(kept[t].all() for t in op.activations):
        return op
    if is_mixing(op):
        columns = columns_of(op)
        if columns is not None:
            op = with_columns(op, columns[:, :, kept[op.x]])
        return with_outputs(op, 0, mask)
    if isinstance(op, DepthwiseConv2D):
        return with_outputs(op, 3, mask)
    inputs = list(op.inputs)
    for link in links(op) or ():
        tensor = inputs[link.index]
        if tensor.is_constant and not mask.all():
            data = tensor.values[..., kept_by_link(tensor, link, mask)]
            inputs[link.index] = replace(tensor, shape=data.shape, data=data)
    # Of a constant side of a CONCATENATION nothing may be left.
    return replace(op, inputs=tuple(t for t in inputs if t.elements))
