"""fold_into_producers: where one requantization does what two did, and where none can."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

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
    kinds,
    like,
    rewritten,
    with_dead,
)
from tinygen.ir import Activation, Graph, Op, QuantParams, Tensor
from tinygen.ops.add import Add
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.fully_connected import Rounding
from tinygen.ops.logistic import Logistic
from tinygen.ops.mul import Mul
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu
from tinygen.ops.sub import Sub
from tinygen.passes.fold_into_producers import fold_into_producers
from tinygen.passes.step_fit import Fit, fitted

X = image(1, 6, 6, 2, zero_point=3, name="x")
NONE, RELU = Activation.NONE, Activation.RELU
Tail = Callable[[Tensor, Tensor], Op]


def out(scale: float = 0.1, zero_point: int = -128) -> Tensor:
    return image(1, 4, 4, 3, scale=scale, zero_point=zero_point, name="y")


def network(first: Op, tail: Tail, y: Tensor) -> Graph:
    return graph(first.activations[:2], (first, op := tail(first.y, y)), (op.y,))


def vector(*values: int, scale: float = 1.0, zero_point: int = 0) -> Tensor:
    return constant(np.array(values, np.int8), QuantParams((scale,), (zero_point,)))


def copy(x: Tensor, y: Tensor) -> Op:
    return Quantize("tail", (x,), (y,))


def relu(x: Tensor, y: Tensor) -> Op:
    return Relu("tail", (x,), (y,))


def negative(x: Tensor, y: Tensor) -> Op:
    return Mul("tail", (x, vector(-1, -1, -1)), (y,), RELU)


def mirrored(x: Tensor, y: Tensor) -> Op:
    return Mul("tail", (vector(1, -1, 1), x), (y,), RELU)


def producer(y: Tensor) -> Conv2D:
    return conv(X, y)


def own(y: Tensor) -> Op:
    return depthwise(like(X, 1, 6, 6, 3), y)


def padded(y: Tensor) -> Op:
    return conv(like(X, 1, 4, 4, 2), y, pad=(1, 1))


def matrix(y: Tensor) -> Op:
    return dense(like(X, 16, 2), like(y, 16, 3), per_channel=True)


def one_scale(y: Tensor) -> Op:
    return dense(like(X, 16, 2), like(y, 16, 3))


@pytest.mark.parametrize("first", [producer, own, padded, matrix, one_scale])
@pytest.mark.parametrize(
    ("middle", "tail", "y"),
    [
        (out(zero_point=-60), relu, out(zero_point=-5)),
        (out(zero_point=0), copy, out(zero_point=0)),
        (out(zero_point=127), negative, out()),
        (out(zero_point=127), mirrored, out()),
        (out(zero_point=-128), copy, out(zero_point=100)),
    ],
    ids=["relu to another zero point", "nothing", "sign", "signs", "almost a constant"],
)
def test_one_requantization_does_both(
    first: Callable[[Tensor], Op], middle: Tensor, tail: Tail, y: Tensor
) -> None:
    made = first(middle)
    before = network(made, tail, like(y, *made.y.shape, name="y"))
    assert kinds(rewritten(before, fold_into_producers)) == [made.kind]


@pytest.mark.parametrize(
    ("middle", "tail", "y"),
    [
        (out(zero_point=-5), copy, out(scale=0.137)),
        (out(zero_point=-5), copy, out(zero_point=7)),
        (out(zero_point=0), lambda x, y: Logistic("tail", (x,), (y,)), out(scale=1 / 256)),
        (out(), lambda x, y: Mul("tail", (x, x), (y,), NONE), out(scale=1.0)),
        (out(zero_point=3), lambda x, y: Mul("t", (x, x), (y,), NONE), out(scale=1.0)),
    ],
    ids=["another grid", "clipped where no activation clips", "curve", "square", "up and down"],
)
def test_what_is_no_requantization_stays(middle: Tensor, tail: Tail, y: Tensor) -> None:
    assert_untouched(network(producer(middle), tail, y), fold_into_producers)


def by_1024() -> Conv2D:
    """A convolution of 1024 accumulators to a step, of which it reaches some 160 each way."""
    x, middle = image(1, 6, 6, 2, scale=0.5, zero_point=3, name="x"), out(scale=0.125)
    op = conv(x, middle, activation=RELU)
    quant = QuantParams((0.125 / 0.5 / 1024,) * 3, (0,) * 3, 0)
    return replace(op, inputs=(x, replace(op.weights, quant=quant), *op.inputs[2:]))


def test_a_constant_of_whole_accumulators_goes_into_the_bias() -> None:
    minus = vector(5, 0, 100, scale=0.125)
    before = network(by_1024(), lambda x, y: Sub("tail", (x, minus), (y,), RELU), out(scale=0.125))
    (op,) = rewritten(before, fold_into_producers).ops
    moved = op.inputs[2].values - before.ops[0].inputs[2].values
    np.testing.assert_array_equal(moved, [-5 * 1024, 0, -100 * 1024])


def test_half_of_whole_accumulators_is_one_rounding() -> None:
    before = network(by_1024(), copy, out(scale=0.25))
    assert kinds(rewritten(before, fold_into_producers)) == ["CONV_2D"]


def test_a_channel_that_becomes_one_value_loses_its_weights() -> None:
    first = with_dead(producer(out(zero_point=-60)), {})
    bias = replace(first.inputs[2], data=np.array([0, -(10**6), 0], np.int32))
    first = replace(first, inputs=(X, first.weights, bias))
    after = rewritten(network(first, relu, out(zero_point=-5)), fold_into_producers)
    (op,) = after.ops
    assert isinstance(op, WeightedOp)
    assert [bool(row.any()) for row in op.weights.values] == [True, False, True]


def test_the_least_weight_bars_a_change_of_sign() -> None:
    first = producer(out(zero_point=127))
    data = first.weights.values.copy()
    data[1, 0, 0, 0] = -128
    lowest = replace(first, inputs=(X, replace(first.weights, data=data), first.inputs[2]))
    assert_untouched(network(lowest, negative, out()), fold_into_producers)
    before = network(lowest, copy, out(zero_point=127))
    assert len(rewritten(before, fold_into_producers).ops) == 1


def test_what_is_fitted_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(fold_into_producers.__module__)

    def careless(*arguments: Any) -> Fit | None:
        found = fitted(*arguments)
        return found and replace(found, addend=found.addend + 1)

    before = network(producer(out(zero_point=-60)), relu, out(zero_point=-5))
    assert len(rewritten(before, fold_into_producers).ops) == 1
    monkeypatch.setattr(module, "fitted", careless)
    assert_untouched(before, fold_into_producers)


def test_accumulators_that_may_leave_32_bits_stay() -> None:
    for bias, length in ((2**31 - 1, 2), (2**30, 1)):
        first = producer(out(zero_point=-60))
        biases = replace(first.inputs[2], data=np.full(3, bias, np.int32))
        moved = replace(first, inputs=(X, first.weights, biases))
        before = network(moved, relu, out(zero_point=-5))
        assert len(rewritten(before, fold_into_producers).ops) == length


def test_products_that_round_once_and_weights_with_a_zero_point_stay() -> None:
    x, middle = like(X, 16, 2), image(16, 3, scale=0.1, zero_point=-60)
    y = image(16, 3, scale=0.1, zero_point=-5, name="y")
    once = dense(x, middle, Rounding.ONCE)
    assert_untouched(network(once, relu, y), fold_into_producers)
    op = dense(x, middle)
    weights = replace(op.weights, quant=QuantParams((0.004,), (30,)))
    odd = replace(op, inputs=(x, weights, op.inputs[2]))
    assert_untouched(network(odd, relu, y), fold_into_producers)


def test_what_others_read_stays() -> None:
    first = producer(out(zero_point=-60))
    before = network(first, relu, out(zero_point=-5))
    assert_untouched(replace(before, outputs=(first.y, before.outputs[0])), fold_into_producers)
    total = add(first.y, before.outputs[0], out(zero_point=4))
    both = graph((X,), (*before.ops, total), (total.y,))
    assert_untouched(both, fold_into_producers)


A, B = image(1, 4, 4, 3, scale=0.07, zero_point=4), image(1, 4, 4, 3, scale=0.03, zero_point=-7)


@pytest.mark.parametrize("kind", [Add, Sub, Mul])
def test_sums_and_products_take_what_is_equal_for_all_pairs(kind: type[Add | Sub | Mul]) -> None:
    def made(tail: Tail, zero_point: int, y: Tensor) -> list[str]:
        first = kind("first", (A, B), (out(zero_point=zero_point),), NONE)
        return kinds(rewritten(network(first, tail, y), fold_into_producers))

    assert made(relu, -60, out(zero_point=-5)) == [kind.kind]
    assert made(copy, -5, out(zero_point=-5)) == [kind.kind]
    assert made(copy, -5, out(zero_point=100)) == [kind.kind, "QUANTIZE"]
    assert made(copy, -5, out(scale=0.137)) == [kind.kind, "QUANTIZE"]
    assert made(mirrored, 0, out()) == [kind.kind, "MUL"]


def test_a_result_that_breaks_a_rule_is_not_made() -> None:
    """ADD wants a result's scale that is not far below the operands', even for sums of zero."""
    x = image(1, 4, 4, 3, scale=0.07, zero_point=127)
    zero = Relu("zero", (x,), (like(x),))
    first = add(zero.y, zero.y, out())
    for scale, length in ((0.01, 2), (1e-9, 3)):
        tail = Quantize("tail", (first.y,), (out(scale=scale),))
        before = graph((x,), (zero, first, tail), (tail.y,))
        assert len(rewritten(before, fold_into_producers).ops) == length


def random_network(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    scales = [0.1, 0.1, 0.1, 0.2, 0.05, 0.3]
    middle = out(
        scale=float(rng.choice([0.1, 3.0])), zero_point=int(rng.choice([-128, 0, 40, 127]))
    )
    y = out(middle.scale / 0.1 * float(rng.choice(scales)), int(rng.choice([-128, -128, 0, 40])))
    made = [producer, own, padded, matrix, one_scale][rng.integers(0, 5)](middle)
    y = like(y, *made.y.shape, name="y")
    tail = [copy, relu, negative, mirrored][rng.integers(0, 4)]
    return network(made, tail, y)


def test_random_tails_go_or_stay_and_no_result_differs() -> None:
    lengths = [len(rewritten(random_network(s), fold_into_producers).ops) for s in range(80)]
    assert min(lengths.count(1), lengths.count(2)) > 15
