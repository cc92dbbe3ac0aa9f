"""drop_idle_clamps: a fused activation goes where nothing reaches its limits."""

from dataclasses import replace

import pytest

from firmware_tests.unit.rewriting import add, assert_untouched, conv, graph, image, like, rewritten
from tinygen.ir import Activation, Graph, Op
from tinygen.ops.pool2d import MaxPool2D
from tinygen.ops.relu import Relu
from tinygen.ops.window import Window
from tinygen.passes.drop_idle_clamps import drop_idle_clamps

NONE, RELU, RELU6 = Activation.NONE, Activation.RELU, Activation.RELU6
X = image(1, 6, 6, 2, zero_point=0, name="x")


def positive_then(op: Op) -> Graph:
    return graph((X,), (Relu("relu", (X,), (op.x,)), op), (op.y,))


def activation_of(made: Graph) -> Activation:
    found = made.ops[-1].attributes()["activation"]
    assert isinstance(found, Activation)
    return found


@pytest.mark.parametrize(
    ("activation", "scale", "expected"),
    [
        (RELU, 0.2, NONE),
        (RELU6, 0.2, RELU6),  # 127 * 0.05 + 127 * 0.05 is more than 6
        (RELU6, 0.04, NONE),  # int8 ends at 5.08
    ],
)
def test_a_sum_of_positive_values_needs_no_relu(
    activation: Activation, scale: float, expected: Activation
) -> None:
    positive = like(X)
    op = add(positive, positive, image(1, 6, 6, 2, scale=scale, zero_point=0), activation)
    assert activation_of(rewritten(positive_then(op), drop_idle_clamps)) == expected


def test_limits_that_values_reach_stay() -> None:
    op = add(X, X, image(1, 6, 6, 2, scale=0.2, zero_point=0), RELU)
    assert_untouched(graph((X,), (op,), (op.y,)), drop_idle_clamps)


def test_limits_of_the_type_stay_for_the_reader() -> None:
    op = conv(X, image(1, 4, 4, 3, zero_point=-128), activation=RELU)
    assert_untouched(graph((X,), (op,), (op.y,)), drop_idle_clamps)


def test_a_pool_of_positive_values_needs_none() -> None:
    positive = like(X)
    window = Window((2, 2), (2, 2), (1, 1), (0, 0))
    pool = MaxPool2D("pool", (positive,), (like(X, 1, 3, 3, 2),), window, RELU)
    assert activation_of(rewritten(positive_then(pool), drop_idle_clamps)) == NONE


def test_a_convolution_that_cannot_be_negative_needs_none() -> None:
    positive = like(X)
    op = conv(positive, image(1, 4, 4, 3, scale=0.9, zero_point=0), activation=RELU)
    bias = replace(op.inputs[2], data=op.inputs[2].values * 0 + 10**7)
    lifted = replace(op, inputs=(*op.inputs[:2], bias))
    assert activation_of(rewritten(positive_then(lifted), drop_idle_clamps)) == NONE
    assert_untouched(positive_then(op), drop_idle_clamps)
