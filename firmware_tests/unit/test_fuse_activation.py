"""fuse_activation: where RELU and its kin become the fused activation of the operator before."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    constant,
    conv,
    depthwise,
    graph,
    image,
    kinds,
    like,
    rewritten,
)
from tinygen.ir import Activation, DType, Graph, Op, QuantParams, Tensor
from tinygen.ops.add import Add
from tinygen.ops.binary import Binary
from tinygen.ops.div import Div
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.mul import Mul
from tinygen.ops.pool2d import AveragePool2D, MaxPool2D
from tinygen.ops.relu import Relu, Relu0To1, Relu6, ReluN1To1
from tinygen.ops.sub import Sub
from tinygen.ops.window import Window
from tinygen.passes.fuse_activation import fuse_activation
from tinygen.reference import run

ONCE = Rounding.ONCE
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
        "%3 = conv_2d(%0, #1, #2) window=k3x3s1x1d1x1p0x0 activation=none  int8[1,4,4,3] s=0.1 z=3",
        "%4 = relu(%3) numerics=tflm  int8[1,4,4,3] s=0.1 z=3",
        "return %4",
    ]
    assert str(rewritten(before, fuse_activation)).splitlines() == [
        "%0 = input int8[1,6,6,2] s=0.05 z=-128",
        "%3 = conv_2d(%0, #1, #2) window=k3x3s1x1d1x1p0x0 activation=relu  int8[1,4,4,3] s=0.1 z=3",
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


A = image(1, 4, 4, 3, scale=0.1, zero_point=4)
B = image(1, 4, 4, 3, scale=0.03, zero_point=-7)
WINDOW = Window((3, 3), (1, 1), (1, 1), (1, 1))
MATRIX = constant(
    np.random.default_rng(1).integers(-127, 128, (3, 48), dtype=np.int8),
    QuantParams((0.002,), (0,)),
)


@pytest.mark.parametrize("activation", [Relu, Relu6, ReluN1To1])
@pytest.mark.parametrize(
    "producer",
    [
        lambda y: Add("op", (A, B), (y,), NONE),
        lambda y: Sub("op", (A, B), (y,), NONE),
        lambda y: Mul("op", (A, B), (y,), NONE),
        lambda y: depthwise(A, y, pad=(1, 1)),
        lambda y: AveragePool2D("op", (like(y),), (y,), WINDOW, NONE),
        lambda y: MaxPool2D("op", (like(y),), (y,), WINDOW, NONE),
        lambda y: FullyConnected("op", (A, MATRIX), (like(y, 1, 3),), NONE),
        lambda y: FullyConnected("op", (A, MATRIX), (like(y, 1, 3),), NONE, rounding=ONCE),
    ],
)
@pytest.mark.parametrize("zero_point", [-128, -5, 100])
def test_every_operator_with_a_fused_activation_takes_it(
    producer: Callable[[Tensor], Op], activation: type[Op], zero_point: int
) -> None:
    made = producer(image(1, 4, 4, 3, scale=0.07, zero_point=zero_point))
    z = like(made.y, name="z")
    before = graph(made.activations, (made, activation("act", made.outputs, (z,))), (z,))
    assert kinds(rewritten(before, fuse_activation)) == [made.kind]


def test_an_intersection_that_no_activation_has_stays() -> None:
    assert_untouched(conv_then(ReluN1To1, fused=RELU), fuse_activation)


FLOAT = Tensor("x", (1, 4), DType.FLOAT32)


@pytest.mark.parametrize("kind", [Add, Sub, Mul, Div])
@pytest.mark.parametrize(("activation", "fused"), [(Relu, RELU), (Relu6, RELU6), (Relu0To1, None)])
def test_a_float_that_is_finite_already_is_limited_at_once(
    kind: type[Binary], activation: type[Op], fused: Activation | None
) -> None:
    a, b, sum_, y = (replace(FLOAT, name=name) for name in ("a", "b", "sum", "y"))
    ops = (kind("sum", (a, b), (sum_,), NONE), activation("y", (sum_,), (y,)))
    before = graph((a, b), ops, (y,))
    if fused is None:
        return assert_untouched(before, fuse_activation)
    values = [np.array([v], np.float32) for v in ((3e38, -0.0, np.nan, 7.5), (3e38, 1, 1, 0.5))]
    (after,) = fuse_activation(before).ops
    assert isinstance(after, kind)
    assert after.activation is fused
    (want,), (got,) = (run(g, values) for g in (before, fuse_activation(before)))
    assert got.tobytes() == want.tobytes()


def test_other_quantization_stays() -> None:
    z = image(1, 4, 4, 3, scale=0.2, zero_point=3)
    before = graph((X,), (conv(X, WIDE), Relu("act", (WIDE,), (z,))), (z,))
    assert_untouched(before, fuse_activation)


def test_a_copy_into_another_quantization_stays() -> None:
    """TFLite Micro's RELU6 keeps the bytes, whatever the result's scale; convolutions do not."""
    fine, coarse = (image(1, 4, 4, 3, scale=s, zero_point=3) for s in (0.01, 0.02))
    before = graph((X,), (conv(X, fine), Relu6("act", (fine,), (coarse,))), (coarse,))
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
