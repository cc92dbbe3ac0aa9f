"""fold_into_readers: shifts and whole factors become weights and biases of the reader."""

from collections.abc import Callable, Sequence
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
    kinds,
    like,
    rewritten,
)
from tinygen.ir import Activation, Graph, Op, QuantParams, Tensor
from tinygen.ops.add import Add
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.mul import Mul
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu6
from tinygen.ops.sub import Sub
from tinygen.passes.fold_into_readers import fold_into_readers

# A few values each side of the zero point: most of what follows would clip more.
X = image(1, 6, 6, 4, scale=0.3, zero_point=10, name="x")
FEW = image(1, 6, 6, 4, scale=0.3, zero_point=10, name="few")
LIMIT = Relu6("limit", (X,), (FEW,))  # holds 10 to 30
NONE = Activation.NONE
Reader = Callable[[Tensor], Op]


def small_weights(op: Conv2D) -> Conv2D:
    """``op`` with weights that stay weights three times as large."""
    weights = replace(op.weights, data=op.weights.values // 4)
    return replace(op, inputs=(op.x, weights, *op.inputs[2:]))


def inner(x: Tensor) -> Op:
    return small_weights(conv(x, image(1, 4, 4, 3, scale=0.9, zero_point=-7)))


def bordered(x: Tensor) -> Op:
    return small_weights(conv(x, image(1, 6, 6, 3, scale=0.9, zero_point=-7), pad=(1, 1)))


def own(x: Tensor) -> Op:
    op = depthwise(x, image(1, 4, 4, 4, scale=0.9, zero_point=-7))
    weights = replace(op.weights, data=op.weights.values // 4)
    return replace(op, inputs=(x, weights, *op.inputs[2:]))


def matrix(x: Tensor, *, per_channel: bool = True, rounding: Rounding = Rounding.TWICE) -> Op:
    op = dense(x, image(1, 5, scale=0.9), rounding, per_channel=per_channel)
    weights = replace(op.weights, data=op.weights.values // 4)
    return replace(op, inputs=(x, weights, *op.inputs[2:]))


def vector(*values: int, scale: float = 1.0) -> Tensor:
    return constant(np.array(values, np.int8), QuantParams((scale,), (0,)))


def middle(scale: float = 0.3, zero_point: int = -3) -> Tensor:
    return image(1, 6, 6, 4, scale=scale, zero_point=zero_point, name="middle")


def network(op: Op, *readers: Reader) -> Graph:
    made = [reader(op.y) for reader in readers]
    return graph((X,), (LIMIT, op, *made), tuple(r.y for r in made))


def shift() -> Op:
    """Another zero point, and nothing else."""
    return Quantize("op", (FEW,), (middle(),))


def thrice() -> Op:
    return Quantize("op", (FEW,), (middle(scale=0.1),))


def move() -> Op:
    return Add("op", (FEW, vector(3, 0, -4, 7, scale=0.3)), (middle(),), NONE)


@pytest.mark.parametrize("reader", [inner, bordered, own, matrix])
@pytest.mark.parametrize(
    "op",
    [
        shift(),
        thrice(),
        Mul("op", (FEW, vector(1, -2, 3, 1)), (middle(),), NONE),
        Mul("op", (vector(-1, -1, -1, -1), FEW), (middle(),), NONE),
        Sub("op", (FEW, vector(0, 0, 0, 0)), (middle(),), NONE),
    ],
    ids=["zero point", "scale", "factors", "sign", "nothing"],
)
def test_factors_go_into_the_weights(op: Op, reader: Reader) -> None:
    assert len(rewritten(network(op, reader), fold_into_readers).ops) == 2


@pytest.mark.parametrize("reader", [inner, own, matrix])
@pytest.mark.parametrize(
    "op",
    [
        move(),
        Sub("op", (vector(3, 0, -4, 7, scale=0.3), FEW), (middle(),), NONE),
        Sub("op", (vector(9, scale=0.1), FEW), (middle(),), NONE),
    ],
    ids=["added", "subtracted from", "one for all"],
)
def test_constants_go_into_the_bias(op: Op, reader: Reader) -> None:
    assert len(rewritten(network(op, reader), fold_into_readers).ops) == 2


def test_constants_stay_before_a_border_where_zeros_are_seen() -> None:
    assert_untouched(network(move(), bordered), fold_into_readers)


def test_all_readers_take_it_or_none() -> None:
    assert len(rewritten(network(shift(), inner, own, matrix), fold_into_readers).ops) == 4
    assert_untouched(network(move(), inner, bordered), fold_into_readers)
    assert_untouched(network(shift(), inner, lambda x: add(x, x, like(x))), fold_into_readers)


def test_several_in_a_row_go_at_once() -> None:
    first, second = shift(), middle(scale=0.1, zero_point=20)
    ops = (first, Quantize("again", (first.y,), (second,)))
    last = inner(second)
    after = rewritten(graph((X,), (LIMIT, *ops, last), (last.y,)), fold_into_readers)
    assert kinds(after) == ["RELU6", "CONV_2D"]


@pytest.mark.parametrize(
    "op",
    [
        Quantize("op", (FEW,), (middle(scale=0.2),)),
        Quantize("op", (FEW,), (middle(zero_point=120),)),
        Add("op", (FEW, vector(3, 0, -4, 120, scale=0.3)), (middle(),), NONE),
        Add("op", (FEW, FEW), (middle(scale=0.27),), NONE),
        Add("op", (FEW, constant(np.ones((6, 4), np.int8), FEW.quant)), (middle(),), NONE),
    ],
    ids=["no whole factor", "clipped", "clipped in one channel", "rounded", "rows differ"],
)
def test_what_is_no_line_stays(op: Op) -> None:
    assert_untouched(network(op, matrix), fold_into_readers)


@pytest.mark.parametrize(("zero_point", "length"), [(107, 2), (108, 3)])
def test_a_line_may_end_where_the_type_does(zero_point: int, length: int) -> None:
    op = Quantize("op", (FEW,), (middle(zero_point=zero_point),))
    assert len(rewritten(network(op, matrix), fold_into_readers).ops) == length


def test_an_input_that_can_be_anything_is_clipped_by_a_shift() -> None:
    op = Quantize("op", (X,), (middle(),))
    last = inner(op.y)
    assert_untouched(graph((X,), (op, last), (last.y,)), fold_into_readers)


def test_a_result_that_is_an_output_stays() -> None:
    before = network(shift(), inner)
    shown = replace(before, outputs=(*before.outputs, before.ops[1].y))
    assert_untouched(shown, fold_into_readers)


def with_weight(op: Op, value: int) -> Op:
    data = op.inputs[1].values.copy()
    data.flat[0] = value
    return replace(op, inputs=(op.x, replace(op.inputs[1], data=data), *op.inputs[2:]))


@pytest.mark.parametrize(("value", "length"), [(42, 2), (43, 3), (-42, 2), (-43, 3)])
def test_weights_that_would_leave_their_range_stay(value: int, length: int) -> None:
    before = network(thrice(), lambda x: with_weight(inner(x), value))
    assert len(rewritten(before, fold_into_readers).ops) == length


def test_the_least_weight_stays_what_it_is() -> None:
    before = network(shift(), lambda x: with_weight(inner(x), -128))
    assert len(rewritten(before, fold_into_readers).ops) == 2


@pytest.mark.parametrize(("bias", "length"), [(2**31 - 1, 3), (2**31 - 20000, 2)])
def test_a_bias_that_would_leave_32_bits_stays(bias: int, length: int) -> None:
    def high(x: Tensor) -> Op:
        op = inner(x)
        weights = replace(op.inputs[1], data=np.abs(op.inputs[1].values))
        return replace(op, inputs=(x, weights, constant(np.full(3, bias, np.int32))))

    op = Add("op", (FEW, vector(3, 3, 3, 3, scale=0.3)), (middle(),), NONE)
    assert len(rewritten(network(op, high), fold_into_readers).ops) == length


def test_groups_stay() -> None:
    def grouped(x: Tensor) -> Op:
        op = conv(like(x, 1, 6, 6, 2), image(1, 4, 4, 4, scale=0.9))
        return replace(op, inputs=(x, *op.inputs[1:]))

    assert_untouched(network(shift(), grouped), fold_into_readers)


@pytest.mark.parametrize("rounding", Rounding, ids=lambda r: r.value)
def test_one_scale_for_all_weights_becomes_one_for_each_if_the_products_differ(
    rounding: Rounding,
) -> None:
    def one(x: Tensor) -> Op:
        return matrix(x, per_channel=False, rounding=rounding)

    after = rewritten(network(thrice(), one), fold_into_readers)
    assert len(after.ops) == 2
    shifted = rewritten(network(shift(), one), fold_into_readers).ops[-1]
    assert isinstance(shifted, FullyConnected)
    assert len(shifted.weights.quant.scale if shifted.weights.quant else ()) == 1


def test_weights_with_a_zero_point_keep_it() -> None:
    def odd(x: Tensor) -> Op:
        op = matrix(x, per_channel=False)
        weights = replace(op.inputs[1], quant=QuantParams((0.004,), (30,)))
        return replace(op, inputs=(x, weights, *op.inputs[2:]))

    assert len(rewritten(network(shift(), odd), fold_into_readers).ops) == 2
    assert_untouched(network(thrice(), odd), fold_into_readers)


def random_network(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    op: Op
    y = middle(
        scale=float(rng.choice([0.3, 0.15, 0.1, 0.6, 0.2])), zero_point=int(rng.integers(-60, 60))
    )
    values: Sequence[int] = rng.integers(-4, 5, rng.choice([1, 4])).tolist()
    match rng.integers(0, 4):
        case 0:
            op = Quantize("op", (FEW,), (y,))
        case 1:
            op = Mul("op", (FEW, vector(*values)), (y,), NONE)
        case 2:
            op = Add("op", (FEW, vector(*values, scale=0.3)), (y,), NONE)
        case _:
            op = Sub("op", (vector(*values, scale=0.3), FEW), (y,), NONE)
    return network(op, [inner, bordered, own, matrix][rng.integers(0, 4)])


def test_random_operators_go_or_stay_and_no_result_differs() -> None:
    lengths = [len(rewritten(random_network(s), fold_into_readers).ops) for s in range(60)]
    assert {2, 3} == set(lengths)
    assert lengths.count(2) > 15


def test_a_scale_beyond_single_precision_is_not_made() -> None:
    """The product of scales is taken in single precision where one channel has the only one."""
    ten = Mul("op", (FEW, vector(1, scale=10.0)), (middle(scale=3.0),), NONE)

    def last(x: Tensor, scale: float) -> Op:
        op = dense(x, image(1, 1, scale=scale))
        weights = replace(op.weights, quant=QuantParams((scale,), (0,)))
        return replace(op, inputs=(x, weights, *op.inputs[2:]))

    assert_untouched(network(ten, lambda x: last(x, 1e38)), fold_into_readers)
    assert len(rewritten(network(ten, lambda x: last(x, 1e30)), fold_into_readers).ops) == 2
