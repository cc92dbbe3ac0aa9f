"""merge_equal_channels: readers add up the weights of channels that hold the same values."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    conv,
    dense,
    depthwise,
    graph,
    image,
    like,
    rewritten,
)
from tinygen.ir import Activation, Array, Graph, Op, QuantParams
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.relu import Relu6
from tinygen.ops.reshape import Reshape
from tinygen.passes.merge_equal_channels import merge_equal_channels

X = image(1, 4, 4, 3, name="x")
MIDDLE = image(1, 4, 4, 4, scale=0.3, zero_point=-3, name="middle")


def twins(*, bias: int = 0, scale: float = 1.0, weight: int = 0) -> Conv2D:
    """A convolution whose channels 1 and 3 are equal but for what is given."""
    op = conv(X, MIDDLE, kernel=(1, 1))
    quant = op.weights.quant
    assert quant is not None
    weights, biases, scales = op.weights.values.copy(), op.inputs[2].values.copy(), [*quant.scale]
    weights[3], biases[3], scales[3] = weights[1], biases[1] + bias, scales[1] * scale
    weights[3, 0, 0, 0] ^= weight
    changed = replace(op.weights, data=weights, quant=QuantParams(tuple(scales), (0,) * 4, 0))
    return replace(op, inputs=(X, changed, replace(op.inputs[2], data=biases)))


def small(op: WeightedOp) -> WeightedOp:
    """``op`` with weights small enough to be added."""
    halves = replace(op.weights, data=op.weights.values // 2)
    return replace(op, inputs=(op.x, halves, *op.inputs[2:]))


def reader(*between: Op) -> WeightedOp:
    x = between[-1].y if between else MIDDLE
    if len(x.shape) == 4:
        return small(conv(x, image(1, 4, 4, 2, scale=0.4), pad=(1, 1)))
    return small(dense(x, image(x.shape[0], 2, scale=0.4)))


def network(first: Conv2D, *between: Op, last: WeightedOp | None = None) -> Graph:
    last = last or reader(*between)
    return graph((X,), (first, *between, last), (last.y,))


def used(made: Graph) -> list[bool]:
    """Whether the last operator reads each of the channels."""
    op = made.ops[-1]
    assert isinstance(op, WeightedOp)
    weights: Array = op.weights.values
    return [bool(weights[..., c].any()) for c in range(weights.shape[-1])]


def test_the_first_of_two_equal_channels_stands_for_both() -> None:
    before = network(twins())
    after = rewritten(before, merge_equal_channels)
    assert used(after) == [True, True, True, False]
    own, others = before.ops[-1].inputs[1].values, after.ops[-1].inputs[1].values
    np.testing.assert_array_equal(others[..., 1], own[..., 1] + own[..., 3])


@pytest.mark.parametrize(
    "first",
    [twins(bias=1), twins(scale=1.001), twins(weight=1)],
    ids=["bias", "scale", "one weight"],
)
def test_channels_that_differ_stay(first: Conv2D) -> None:
    assert_untouched(network(first), merge_equal_channels)


def test_weights_that_would_leave_their_range_stay() -> None:
    full = reader()
    weights = full.weights.values.copy()
    weights[0, 0, 0, [1, 3]] = 64
    last = replace(full, inputs=(MIDDLE, replace(full.weights, data=weights), full.inputs[2]))
    assert_untouched(network(twins(), last=last), merge_equal_channels)


@pytest.mark.parametrize(("weight", "sums"), [(35, True), (45, False)])
def test_sums_that_would_leave_their_range_once_the_zero_point_is_added_stay(
    weight: int, sums: bool
) -> None:
    full = reader(Reshape("flat", (MIDDLE,), (like(MIDDLE, 16, 4),)))
    data = np.full(full.weights.shape, 50 + weight, np.int8)
    weights = replace(full.weights, data=data, quant=QuantParams((0.01,), (50,)))
    last = replace(full, inputs=(full.x, weights, full.inputs[2]))
    flat = Reshape("flat", (MIDDLE,), (full.x,))
    before = network(twins(), flat, last=last)
    assert (rewritten(before, merge_equal_channels) is before) != sums


def test_equal_channels_stay_equal_through_what_treats_them_alike() -> None:
    op = depthwise(MIDDLE, like(MIDDLE), pad=(1, 1))
    assert_untouched(network(twins(), op), merge_equal_channels)  # other weights for each
    quant = op.weights.quant
    assert quant is not None
    weights, biases, scales = op.weights.values.copy(), op.inputs[2].values.copy(), [*quant.scale]
    weights[..., 3], biases[3], scales[3] = weights[..., 1], biases[1], scales[1]
    changed = replace(op.weights, data=weights, quant=replace(quant, scale=tuple(scales)))
    alike = replace(op, inputs=(MIDDLE, changed, replace(op.inputs[2], data=biases)))
    limit = Relu6("limit", (alike.y,), (like(MIDDLE),))
    total = add(alike.y, limit.y, image(1, 4, 4, 4, scale=0.5))
    after = rewritten(network(twins(), alike, limit, total), merge_equal_channels)
    assert used(after) == [True, True, True, False]


def test_places_within_pixels_are_told_apart() -> None:
    wide = Reshape("wide", (MIDDLE,), (like(MIDDLE, 8, 8),))
    after = rewritten(network(twins(), wide), merge_equal_channels)
    assert used(after) == [True, True, True, False] * 2
    narrow = Reshape("narrow", (MIDDLE,), (like(MIDDLE, 32, 2),))
    assert_untouched(network(twins(), narrow), merge_equal_channels)


def test_channels_of_two_equal_layers_are_equal() -> None:
    first = conv(X, MIDDLE, kernel=(1, 1))
    second = replace(first, outputs=(like(MIDDLE, name="again"),))
    other = replace(second, activation=Activation.RELU, outputs=(like(MIDDLE, name="other"),))
    for copy, halves in ((second, [True] * 4 + [False] * 4), (other, [True] * 8)):
        sides = (first.y, copy.y)
        pair = Concatenation("c", sides, (like(MIDDLE, 1, 4, 4, 8),), 3, Activation.NONE)
        last = reader(pair)
        before = graph((X,), (first, copy, pair, last), (last.y,))
        assert used(rewritten(before, merge_equal_channels)) == halves
