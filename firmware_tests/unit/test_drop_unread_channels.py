"""drop_unread_channels: a channel goes with all that makes it, through every operator between."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    constant,
    conv,
    dense,
    depthwise,
    graph,
    image,
    like,
    rewritten,
    with_ignored,
)
from tinygen.ir import Activation, DType, Graph, Op, QuantParams, Tensor
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.mean import Mean
from tinygen.ops.mul import Mul
from tinygen.ops.pad import Pad
from tinygen.ops.pool2d import MaxPool2D
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu6
from tinygen.ops.reshape import Reshape
from tinygen.ops.softmax import Softmax
from tinygen.ops.window import Window
from tinygen.passes.drop_unread_channels import drop_unread_channels

X = image(1, 4, 4, 3, name="x")
MIDDLE = image(1, 4, 4, 4, scale=0.3, zero_point=-3, name="middle")
NONE = Activation.NONE


def through(*ops: Op, ignored: tuple[int, ...] = (1,), x: Tensor = MIDDLE) -> Graph:
    """A convolution, ``ops``, and a convolution or matrix that ignores some channels."""
    y = ops[-1].y if ops else x
    if len(y.shape) == 4:
        reader = with_ignored(conv(y, image(*y.shape[:3], 2, scale=0.4), kernel=(1, 1)), *ignored)
    else:
        reader = with_ignored(dense(y, image(y.elements // y.shape[-1], 2, scale=0.4)), *ignored)  # type: ignore[assignment]
    first = conv(X, MIDDLE, kernel=(1, 1))
    return graph((X,), (first, *ops, reader), (reader.y,))


def channels(made: Graph) -> list[int]:
    return [op.y.shape[-1] for op in made.ops]


def test_a_channel_that_all_weights_ignore_goes() -> None:
    after = rewritten(through(ignored=(0, 2)), drop_unread_channels)
    assert channels(after) == [2, 2]
    assert [t.shape for t in after.ops[0].inputs] == [(1, 4, 4, 3), (2, 1, 1, 3), (2,)]
    assert [t.shape for t in after.ops[1].inputs[1:]] == [(2, 1, 1, 2), (2,)]
    assert after.ops[0].inputs[1].quant.scale == through().ops[0].inputs[1].quant.scale[1::2]  # type: ignore[union-attr]
    assert [op.name for op in after.ops] == ["conv", "conv"]


def test_what_any_weight_reads_stays() -> None:
    assert_untouched(through(ignored=()), drop_unread_channels)


def test_one_channel_stays_where_all_are_ignored() -> None:
    assert channels(rewritten(through(ignored=(0, 1, 2, 3)), drop_unread_channels)) == [1, 2]


def test_a_hybrid_depthwise_convolution_keeps_what_decides_its_scale() -> None:
    """It quantizes an image by the extremes of all channels, also of those that nobody reads."""
    x, y = (Tensor(name, MIDDLE.shape, DType.FLOAT32) for name in "xy")
    made = depthwise(MIDDLE, MIDDLE)
    bias = Tensor("b", (4,), DType.FLOAT32, None, np.zeros(4, np.float32))
    hybrid = replace(made, inputs=(x, made.weights, bias), outputs=(y,))
    z = like(MIDDLE, name="z")
    ops = Dequantize("d", (MIDDLE,), (x,)), hybrid, Quantize("q", (y,), (z,))
    assert channels(rewritten(through(*ops), drop_unread_channels)) == [4, 4, 4, 4, 2]


def pool(x: Tensor) -> Op:
    return MaxPool2D("p", (x,), (like(x),), Window((1, 1), (1, 1), (1, 1), (0, 0)), NONE)


def scaled(x: Tensor) -> Op:
    factors = constant(np.arange(4, dtype=np.int8), QuantParams((0.5,), (0,)))
    return Mul("mul", (x, factors), (image(*x.shape, scale=0.2),), NONE)


BETWEEN: dict[str, tuple[Callable[[Tensor], Op], list[int]]] = {
    "depthwise": (lambda x: depthwise(x, like(x), pad=(1, 1)), [3, 3, 2]),
    "pool": (pool, [3, 3, 2]),
    "unary": (lambda x: Relu6("r", (x,), (like(x),)), [3, 3, 2]),
    "border": (
        lambda x: Pad("b", (x,), (like(x, 1, 6, 6, 4),), ((0, 0), (1, 1), (1, 1), (0, 0))),
        [3, 3, 2],
    ),
    "sum": (lambda x: add(x, x, image(*x.shape, scale=0.7)), [3, 3, 2]),
    "constant factors": (scaled, [3, 3, 2]),
    "mean": (lambda x: Mean("m", (x,), (image(1, 4, scale=0.2),), (1, 2), False), [3, 3, 2]),
    "side by side": (
        lambda x: Concatenation("c", (x, x), (like(x, 1, 4, 4, 8),), 3, NONE),
        [4, 8, 2],  # the second copy is read
    ),
    "one after the other": (
        lambda x: Concatenation("c", (x, x), (like(x, 1, 8, 4, 4),), 1, NONE),
        [3, 3, 2],
    ),
    "the same channels": (lambda x: Reshape("v", (x,), (like(x, 16, 4),)), [3, 3, 2]),
    "whole pixels": (lambda x: Reshape("v", (x,), (like(x, 1, 64),)), [4, 64, 2]),
    "half pixels": (lambda x: Reshape("v", (x,), (like(x, 1, 8, 4, 2),)), [2, 1, 2]),
    "single values": (lambda x: Reshape("v", (x,), (like(x, 64, 1, 1, 1),)), [4, 1, 2]),
    "one more channel": (
        lambda x: Pad("b", (x,), (like(x, 1, 4, 4, 5),), ((0, 0), (0, 0), (0, 0), (0, 1))),
        [4, 5, 2],
    ),
    "all in one": (lambda x: Softmax("s", (x,), (image(*x.shape, scale=1 / 256),), 1.0), [4, 4, 2]),
}  # fmt: skip


@pytest.mark.parametrize("name", BETWEEN)
def test_operators_between_lose_the_channel_or_keep_it(name: str) -> None:
    make, expected = BETWEEN[name]
    ignored = (0,) if name == "single values" else (1,)
    before = through(make(MIDDLE), ignored=ignored)
    assert channels(rewritten(before, drop_unread_channels)) == expected


def test_a_matrix_that_ignores_a_channel_everywhere_loses_it() -> None:
    flat = Reshape("flat", (MIDDLE,), (like(MIDDLE, 1, 64),))
    before = through(flat, ignored=tuple(range(1, 64, 4)))
    assert channels(rewritten(before, drop_unread_channels)) == [3, 48, 2]


def test_both_copies_side_by_side_go() -> None:
    op = Concatenation("c", (MIDDLE, MIDDLE), (like(MIDDLE, 1, 4, 4, 8),), 3, NONE)
    after = rewritten(through(op, ignored=(1, 5)), drop_unread_channels)
    assert channels(after) == [3, 6, 2]


def test_a_constant_side_that_nobody_reads_goes() -> None:
    data = constant(np.ones((1, 4, 4, 2), np.int8), MIDDLE.quant)
    op = Concatenation("c", (data, MIDDLE), (like(MIDDLE, 1, 4, 4, 6),), 3, NONE)
    after = rewritten(through(op, ignored=(1, 2)), drop_unread_channels)
    assert [t.shape[-1] for t in after.ops[1].inputs] == [1, 3]
    after = rewritten(through(op, ignored=(0, 1, 2)), drop_unread_channels)
    assert [t.shape[-1] for t in after.ops[1].inputs] == [3]


def test_a_depth_multiplier_keeps_its_channels_together() -> None:
    op = depthwise(MIDDLE, image(1, 4, 4, 8, scale=0.4), pad=(1, 1))
    assert_untouched(through(op, ignored=(2,)), drop_unread_channels)
    assert channels(rewritten(through(op, ignored=(2, 3)), drop_unread_channels)) == [3, 6, 2]


def test_another_reader_keeps_the_channel() -> None:
    before = through(ignored=(1,))
    other = conv(MIDDLE, image(1, 4, 4, 1, name="z"), kernel=(1, 1))
    read = replace(before, ops=(*before.ops, other), outputs=(*before.outputs, other.y))
    assert_untouched(read, drop_unread_channels)


def test_outputs_and_inputs_keep_their_channels() -> None:
    before = through(ignored=(1,))
    assert_untouched(replace(before, outputs=(MIDDLE, *before.outputs)), drop_unread_channels)
    reader = with_ignored(conv(X, MIDDLE, kernel=(1, 1)), 0)
    assert_untouched(graph((X,), (reader,), (MIDDLE,)), drop_unread_channels)


def test_a_branch_keeps_what_the_sum_needs() -> None:
    # The input of the model takes part in the sum, so all of its channels do.
    branch = conv(X, like(X, name="branch"), kernel=(1, 1))
    both = add(X, branch.y, image(1, 4, 4, 3, scale=0.1))
    reader = with_ignored(conv(both.y, image(1, 4, 4, 2), kernel=(1, 1)), 0)
    assert_untouched(graph((X,), (branch, both, reader), (reader.y,)), drop_unread_channels)


@pytest.mark.parametrize(("per_channel", "expected"), [(False, 1), (True, 2)])
def test_scales_of_a_matrix_stay_per_channel(per_channel: bool, expected: int) -> None:
    # One scale alone is multiplied in float32, several are in double.
    x = image(1, 8, name="x")
    first = dense(x, image(1, 5, scale=0.3), per_channel=per_channel)
    second: FullyConnected = with_ignored(dense(first.y, image(1, 2, scale=0.5)), 0, 1, 2, 4)
    after = rewritten(graph((x,), (first, second), (second.y,)), drop_unread_channels)
    assert channels(after) == [expected, 2]
