"""fuse_activation: where RELU and its kin become the fused activation of the operator before."""

from dataclasses import replace

import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    conv,
    graph,
    image,
    kinds,
    like,
    rewritten,
)
from tinygen.ir import Activation, Graph, Op, Tensor
from tinygen.ops.mul import Mul
from tinygen.ops.relu import Relu, Relu6, ReluN1To1
from tinygen.ops.sub import Sub
from tinygen.passes.fuse_activation import fuse_activation

NONE, RELU, RELU6 = Activation.NONE, Activation.RELU, Activation.RELU6
X = image(1, 6, 6, 2, name="x")
WIDE = image(1, 4, 4, 3, scale=0.1, zero_point=3)


def conv_then(*activations: type[Op], fused: Activation = NONE, y: Tensor = WIDE) -> Graph:
    ops: list[Op] = [conv(X, y, activation=fused)]
    for activation in activations:
        ops.append(activation("act", (ops[-1].y,), (like(y, name=activation.kind),)))
    return graph((X,), tuple(ops), (ops[-1].y,))


def test_relu_becomes_the_activation_of_the_convolution() -> None:
    before = conv_then(Relu)
    assert str(before).splitlines() == [
        "%0 = input int8[1,6,6,2] s=0.05 z=-128",
        "%3 = conv_2d(%0, #1, #2) window=k3x3s1x1d1x1p0x0 activation=none"
        "  int8[1,4,4,3] s=0.1 z=3",
        "%4 = relu(%3)  int8[1,4,4,3] s=0.1 z=3",
        "return %4",
    ]
    assert str(rewritten(before, fuse_activation)).splitlines() == [
        "%0 = input int8[1,6,6,2] s=0.05 z=-128",
        "%3 = conv_2d(%0, #1, #2) window=k3x3s1x1d1x1p0x0 activation=relu"
        "  int8[1,4,4,3] s=0.1 z=3",
        "return %3",
    ]


@pytest.mark.parametrize(
    ("fused", "activations", "expected"),
    [
        (NONE, (Relu,), RELU),
        (NONE, (Relu6,), RELU6),
        (NONE, (ReluN1To1,), Activation.RELU_N1_TO_1),
        (RELU, (Relu6,), RELU6),
        (RELU6, (Relu,), RELU6),
        (RELU, (Relu,), RELU),
        (NONE, (Relu, Relu6), RELU6),
        (NONE, (Relu6, Relu, Relu6), RELU6),
    ],
)
def test_ranges_intersect(
    fused: Activation, activations: tuple[type[Op], ...], expected: Activation
) -> None:
    after = rewritten(conv_then(*activations, fused=fused), fuse_activation)
    assert [getattr(op, "activation", None) for op in after.ops] == [expected]


@pytest.mark.parametrize("producer", [add, Mul, Sub])
@pytest.mark.parametrize("zero_point", [-128, -5, 100])
def test_elementwise_operators_take_it_too(producer: type[Op], zero_point: int) -> None:
    a, b = image(2, 9, scale=0.1, zero_point=4), image(2, 9, scale=0.03, zero_point=-7)
    y = image(2, 9, scale=0.07, zero_point=zero_point)
    z = like(y, name="z")
    made = (
        add(a, b, y)
        if producer is add
        else producer("op", (a, b), (y,), NONE)  # type: ignore[call-arg]
    )
    after = rewritten(graph((a, b), (made, Relu6("act", (y,), (z,))), (z,)), fuse_activation)
    assert kinds(after) == [made.kind]


def test_an_intersection_that_no_activation_has_stays() -> None:
    assert_untouched(conv_then(ReluN1To1, fused=RELU), fuse_activation)


def test_other_quantization_stays() -> None:
    z = image(1, 4, 4, 3, scale=0.2, zero_point=3)
    before = graph((X,), (conv(X, WIDE), Relu("act", (WIDE,), (z,))), (z,))
    assert_untouched(before, fuse_activation)


def test_a_result_that_is_an_output_stays() -> None:
    before = conv_then(Relu)
    assert_untouched(replace(before, outputs=(*before.outputs, WIDE)), fuse_activation)


def test_a_result_that_others_read_stays() -> None:
    z, total = like(WIDE), like(WIDE)
    ops = (conv(X, WIDE), Relu("act", (WIDE,), (z,)), add(WIDE, z, total))
    assert_untouched(graph((X,), ops, (total,)), fuse_activation)


def test_an_activation_of_an_input_or_of_another_operator_stays() -> None:
    y, z = like(X), like(X)
    ops = (Relu("act", (X,), (y,)), Relu6("act", (y,), (z,)))
    assert_untouched(graph((X,), ops, (z,)), fuse_activation)
