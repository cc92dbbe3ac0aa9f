"""fold_constant_channels: what a constant channel adds moves into the bias, if that is exact."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    assert_untouched,
    constant,
    conv,
    dense,
    depthwise,
    graph,
    image,
    like,
    rewritten,
    with_dead,
)
from tinygen.ir import Activation, Graph, Op
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.fully_connected import Rounding
from tinygen.ops.pool2d import AveragePool2D
from tinygen.ops.reshape import Reshape
from tinygen.ops.window import Window
from tinygen.passes.fold_constant_channels import fold_constant_channels

X = image(1, 6, 6, 3, name="x")
MIDDLE = image(1, 4, 4, 4, scale=0.3, zero_point=-3)
AT_ZERO, ABOVE = {1: 0}, {1: 5000}  # biases: the value is the zero point, or another


def chain(dead: dict[int, int], reader: WeightedOp) -> Graph:
    """A convolution with dead channels, and what reads it."""
    return graph((X,), (with_dead(conv(X, MIDDLE), dead), reader), (reader.y,))


def pixelwise() -> Conv2D:
    return conv(MIDDLE, image(1, 4, 4, 5, scale=0.4, zero_point=7), kernel=(1, 1))


def inner() -> Conv2D:
    return conv(MIDDLE, image(1, 2, 2, 5, scale=0.4, zero_point=7))


def bordered() -> Conv2D:
    return conv(MIDDLE, image(1, 4, 4, 5, scale=0.4, zero_point=7), pad=(1, 1))


def last(made: Graph) -> WeightedOp:
    op = made.ops[-1]
    assert isinstance(op, WeightedOp)
    return op


@pytest.mark.parametrize("reader", [pixelwise(), inner()], ids=["1x1", "3x3 without a border"])
@pytest.mark.parametrize("dead", [AT_ZERO, ABOVE, {0: -9000, 2: 70, 3: 2**31 - 2**20}])
def test_weights_of_a_constant_channel_become_a_bias(reader: Conv2D, dead: dict[int, int]) -> None:
    before = chain(dead, reader)
    after = last(rewritten(before, fold_constant_channels))
    for channel in range(4):
        assert after.weights.values[..., channel].any() == (channel not in dead)
    same = np.array_equal(after.inputs[2].values, reader.inputs[2].values)
    assert same == (dead == AT_ZERO)


def test_over_a_border_only_the_zero_point_folds() -> None:
    assert (
        not last(rewritten(chain(AT_ZERO, bordered()), fold_constant_channels))
        .weights.values[..., 1]
        .any()
    )
    assert_untouched(chain(ABOVE, bordered()), fold_constant_channels)


def test_a_channel_that_varies_stays() -> None:
    assert_untouched(chain({}, pixelwise()), fold_constant_channels)


def test_a_bias_that_would_leave_32_bits_is_not_made() -> None:
    reader = pixelwise()
    bias = np.full(5, 2**31 - 1, np.int32) * np.sign(
        reader.weights.values[:, 0, 0, 1].astype(np.int32)
    )
    full = replace(reader, inputs=(*reader.inputs[:2], replace(reader.inputs[2], data=bias)))
    assert_untouched(chain({1: 5000}, full), fold_constant_channels)


def test_a_bias_is_made_where_there_is_none() -> None:
    reader = pixelwise()
    bare = replace(reader, inputs=reader.inputs[:2])
    after = last(rewritten(chain(ABOVE, bare), fold_constant_channels))
    assert after.bias is not None
    assert after.bias.values.any()
    kept = last(rewritten(chain(AT_ZERO, bare), fold_constant_channels))
    assert kept.bias is None


def test_groups_stay() -> None:
    reader = pixelwise()
    weights = constant(reader.weights.values[:4, :, :, :2], None)
    quant = reader.weights.quant
    assert quant is not None
    halves = replace(
        reader,
        inputs=(MIDDLE, replace(weights, quant=replace(quant, scale=quant.scale[:1]))),
        outputs=(image(1, 4, 4, 4, scale=0.4, zero_point=7),),
    )
    assert halves.groups == 2
    assert_untouched(chain(ABOVE, halves), fold_constant_channels)


@pytest.mark.parametrize("rounding", Rounding)
def test_constants_go_through_depthwise_and_pools_into_a_matrix(rounding: Rounding) -> None:
    first = with_dead(conv(X, MIDDLE), {0: 100, 3: 0})
    second = depthwise(first.y, image(1, 2, 2, 4, scale=0.5, zero_point=2))
    window = Window((2, 2), (2, 2), (1, 1), (0, 0))
    pooled = like(second.y, 1, 1, 1, 4)
    pool = AveragePool2D("pool", (second.y,), (pooled,), window, Activation.NONE)
    flat = Reshape("flat", (pooled,), (like(pooled, 1, 4),))
    matrix = dense(flat.y, image(1, 3, scale=0.6, zero_point=1), rounding)
    ops: tuple[Op, ...] = (first, second, pool, flat, matrix)
    after = last(rewritten(graph((X,), ops, (matrix.y,)), fold_constant_channels))
    assert after.weights.values.any(axis=0).tolist() == [False, True, True, False]


@pytest.mark.parametrize("rounding", Rounding)
def test_a_matrix_over_whole_pixels_folds_all_columns_of_a_channel(rounding: Rounding) -> None:
    matrix = dense(MIDDLE, image(1, 3, scale=2.0, zero_point=1), rounding)
    offset = replace(matrix.weights, quant=replace(matrix.weights.quant, zero_point=(5,)))  # type: ignore[type-var]
    shifted = replace(matrix, inputs=(MIDDLE, offset, matrix.inputs[2]))
    after = last(rewritten(chain(ABOVE, shifted), fold_constant_channels))
    assert (after.weights.values.reshape(3, 16, 4)[:, :, 1] == 5).all()


def test_a_matrix_over_parts_of_pixels_stays() -> None:
    matrix = dense(MIDDLE, image(32, 3, scale=2.0, zero_point=1))
    assert matrix.weights.shape == (3, 2)
    assert_untouched(chain(ABOVE, matrix), fold_constant_channels)
