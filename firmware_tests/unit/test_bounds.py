"""Interval analysis: bounds hold for every input, and are as tight as the weights allow."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.models.damage import damaged
from firmware_tests.models.random_graphs import random_graph
from firmware_tests.unit.rewriting import add, constant, conv, graph, image, like
from tinygen.bounds import value_bounds
from tinygen.interval import Interval
from tinygen.ir import Activation, Array, Numerics, Op, QuantParams, Tensor
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.conv2d import accumulators
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.mean import Mean
from tinygen.ops.pad import Pad
from tinygen.ops.pool2d import MaxPool2D
from tinygen.ops.relu import Relu, Relu6
from tinygen.ops.reshape import Reshape
from tinygen.ops.softmax import Softmax
from tinygen.ops.window import Window
from tinygen.reference import evaluate
from tinygen.vectors import draw_vectors

X = image(1, 4, 4, 2, name="x")
NONE = Activation.NONE


def bounds_after(*ops: Op, inputs: tuple[Tensor, ...] = (X,)) -> list[tuple[int, int]]:
    """The bounds of the last result, channel by channel."""
    found = value_bounds(graph(inputs, ops, (ops[-1].y,)))[ops[-1].y]
    return list(zip(found.low.tolist(), found.high.tolist(), strict=True))


@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
def test_no_value_of_any_graph_is_out_of_its_bounds(numerics: Numerics) -> None:
    for seed in range(120):
        drawn = random_graph(seed, numerics)
        for candidate in (drawn, damaged(drawn, seed)):
            known = value_bounds(candidate)
            for inputs in draw_vectors(candidate, 6, seed).inputs:
                values = evaluate(candidate, inputs)
                for tensor, found in known.items():
                    assert inside(values[tensor], found), f"seed {seed}: {tensor.name}\n{candidate}"


def inside(values: Array, found: Interval) -> bool:
    rows = values.reshape(-1, len(found))
    return bool((rows >= found.low).all() and (rows <= found.high).all())


def test_the_bounds_of_a_convolution_are_reached() -> None:
    op = conv(X, image(1, 2, 2, 5, scale=0.3, zero_point=-3))
    found = value_bounds(graph((X,), (op,), (op.y,)))[op.y]
    for channel, weights in enumerate(op.weights.values):
        # What pulls a channel up most: the greatest value wherever its weight is positive.
        patch = np.where(weights > 0, 127, -128).astype(np.int8)
        for values, end in ((patch, found.high), (-1 - patch, found.low)):
            given = np.full(X.shape, -128, np.int8)
            given[0, :3, :3] = values
            assert (
                evaluate(graph((X,), (op,), (op.y,)), [given])[op.y][0, 0, 0, channel]
                == end[channel]
            )


def test_the_border_of_a_convolution_counts() -> None:
    x = image(1, 4, 4, 1, zero_point=0)
    positive = image(1, 4, 4, 1, zero_point=0)
    relu = Relu("relu", (x,), (positive,))
    weights = constant(np.full((1, 3, 3, 1), 100, np.int8), QuantParams((0.01,), (0,)))
    y = image(1, 2, 2, 1, scale=0.05 * 9, zero_point=0)
    shifted = Pad(
        "pad", (positive,), (like(positive, 1, 6, 6, 1),), ((0, 0), (1, 1), (1, 1), (0, 0))
    )
    inner = replace(conv(positive, y), inputs=(positive, weights))
    assert bounds_after(relu, inner, inputs=(x,)) == [(0, 127)]
    assert bounds_after(relu, shifted, inputs=(x,)) == [(0, 127)]
    high = Relu6("six", (x,), (like(positive),))
    outer = replace(conv(high.y, like(y, 1, 4, 4, 1), pad=(1, 1)), inputs=(high.y, weights))
    assert bounds_after(high, outer, inputs=(x,)) == [(0, 120)]


def test_a_dead_channel_has_one_value_and_a_wrapping_one_any() -> None:
    op = conv(X, image(1, 4, 4, 3, scale=0.3, zero_point=-3), kernel=(1, 1))
    weights = op.weights.values.copy()
    weights[0] = 0
    bias = np.array([0, 2**31 - 1, -(2**31) + 400], np.int32)
    spoilt = replace(op, inputs=(X, replace(op.weights, data=weights), constant(bias)))
    first, *others = bounds_after(spoilt)
    assert first == (-3, -3)
    assert others == [(-128, 127)] * 2
    raw = accumulators(spoilt, lambda t: Interval.uniform(-128, 127, 2))
    assert raw.low[0] == raw.high[0] == 0
    assert raw.high[1] > 2**31


@pytest.mark.parametrize("rounding", Rounding)
def test_a_matrix_product_has_the_bounds_of_its_own_rounding(rounding: Rounding) -> None:
    x = image(2, 6, scale=0.05, zero_point=-20)
    rng = np.random.default_rng(5)
    weights = constant(rng.integers(-127, 128, (4, 6), dtype=np.int8), QuantParams((0.01,), (7,)))
    y = image(2, 4, scale=0.06, zero_point=9)
    op = FullyConnected("fc", (x, weights), (y,), NONE, rounding=rounding)
    found = bounds_after(op, inputs=(x,))
    signs = weights.values.astype(int) - 7 > 0
    top = [
        evaluate(
            graph((x,), (op,), (y,)), [np.tile(np.where(s, 127, -128), (2, 1)).astype(np.int8)]
        )[y][0, i]
        for i, s in enumerate(signs)
    ]
    assert [high for _, high in found] == [int(v) for v in top]


def test_bounds_go_with_their_channels() -> None:
    a, b = (image(1, 4, 4, 2, zero_point=0) for _ in range(2))
    relu, six = Relu("relu", (a,), (like(a),)), Relu6("six", (b,), (like(b),))
    joined = Concatenation("cat", (relu.y, six.y), (like(a, 1, 4, 4, 4),), 3, NONE)
    stacked = Concatenation("cat", (relu.y, six.y), (like(a, 1, 8, 4, 2),), 1, NONE)
    both = (a, b)
    assert bounds_after(relu, six, joined, inputs=both) == [(0, 127)] * 2 + [(0, 120)] * 2
    assert bounds_after(relu, six, stacked, inputs=both) == [(0, 127)] * 2
    flat = Reshape("flat", (joined.y,), (like(a, 1, 64),))
    assert (
        bounds_after(relu, six, joined, flat, inputs=both) == ([(0, 127)] * 2 + [(0, 120)] * 2) * 16
    )
    mixed = Reshape("mixed", (joined.y,), (like(a, 32, 2),))
    assert bounds_after(relu, six, joined, mixed, inputs=both) == [(0, 127)] * 2
    odd = Reshape("odd", (relu.y,), (like(a, 32),))
    assert len(bounds_after(relu, six, joined, odd, inputs=both)) == 32


def test_moving_and_pooling_keep_bounds() -> None:
    x = image(1, 4, 4, 2, zero_point=0)
    six = Relu6("six", (x,), (like(x),))
    window = Window((2, 2), (2, 2), (1, 1), (0, 0))
    pool = MaxPool2D("pool", (six.y,), (like(x, 1, 2, 2, 2),), window, NONE)
    mean = Mean("mean", (six.y,), (image(1, 2, scale=0.1, zero_point=10),), (1, 2), False)
    wide = Pad("pad", (six.y,), (like(x, 1, 4, 4, 3),), ((0, 0), (0, 0), (0, 0), (0, 1)))
    twice = add(six.y, six.y, image(1, 4, 4, 2, scale=0.2, zero_point=-5))
    assert bounds_after(six, pool, inputs=(x,)) == [(0, 120)] * 2
    assert bounds_after(six, mean, inputs=(x,)) == [(10, 70)] * 2
    assert bounds_after(six, wide, inputs=(x,)) == [(0, 120), (0, 120), (0, 0)]
    assert bounds_after(six, twice, inputs=(x,)) == [(-5, 55)] * 2


def test_what_has_no_rule_has_the_range_of_its_type() -> None:
    y = Tensor("y", X.shape, X.dtype, QuantParams((1 / 256,), (-128,)))
    assert bounds_after(Softmax("soft", (X,), (y,), 1.0)) == [(-128, 127)] * 2
