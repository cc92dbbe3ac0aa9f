"""drop_identities: operators that return their input go, the model's own tensors stay."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    constant,
    graph,
    image,
    like,
    rewritten,
)
from tinygen.ir import Activation, Op, QuantParams, Tensor
from tinygen.ops.mul import Mul
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6
from tinygen.ops.reshape import Reshape
from tinygen.passes.drop_identities import drop_identities

X = image(2, 3, name="x")


def between(op: type[Op], x: Tensor, y: Tensor) -> tuple[Op, ...]:
    """``op`` between two additions."""
    first, last = like(x), like(y, name="y")
    return add(x, x, first), op("op", (first,), (y,)), add(y, y, last)


@pytest.mark.parametrize("op", [Reshape, Quantize, Relu])
def test_an_identity_goes(op: type[Op]) -> None:
    ops = between(op, X, like(X))
    before = graph((X,), ops, (ops[-1].y,))
    attributes = " numerics=tflm" if op is Relu else ""
    assert str(before).splitlines() == [
        "%0 = input int8[2,3] s=0.05 z=-128",
        "%1 = add(%0, %0) activation=none  int8[2,3] s=0.05 z=-128",
        f"%2 = {op.kind.lower()}(%1){attributes}  int8[2,3] s=0.05 z=-128",
        "%3 = add(%2, %2) activation=none  int8[2,3] s=0.05 z=-128",
        "return %3",
    ]
    assert str(rewritten(before, drop_identities)).splitlines() == [
        "%0 = input int8[2,3] s=0.05 z=-128",
        "%1 = add(%0, %0) activation=none  int8[2,3] s=0.05 z=-128",
        "%2 = add(%1, %1) activation=none  int8[2,3] s=0.05 z=-128",
        "return %2",
    ]


def test_a_chain_of_identities_goes_at_once() -> None:
    a, b, y = like(X), like(X), like(X, name="y")
    ops = (Quantize("a", (X,), (a,)), Relu("b", (a,), (b,)), add(X, b, y))
    assert rewritten(graph((X,), ops, (y,)), drop_identities).ops[0].inputs == (X, X)


@pytest.mark.parametrize(
    ("op", "y"),
    [
        pytest.param(Reshape, like(X, 3, 2), id="another shape"),
        pytest.param(Reshape, image(2, 3, scale=0.1), id="another scale read by others"),
        pytest.param(Quantize, image(2, 3, scale=0.1), id="another scale"),
        pytest.param(Quantize, image(2, 3, zero_point=-127), id="another zero point"),
        pytest.param(Relu6, like(X), id="a limit that some values reach"),
    ],
)
def test_what_changes_anything_stays(op: type[Op], y: Tensor) -> None:
    ops = between(op, X, y)
    assert_untouched(graph((X,), ops, (ops[-1].y,)), drop_identities)


def test_relu_stays_where_values_can_be_negative() -> None:
    x = image(2, 3, zero_point=-127)
    ops = between(Relu, x, like(x))
    assert_untouched(graph((x,), ops, (ops[-1].y,)), drop_identities)


def test_before_an_output_the_producer_writes_the_output() -> None:
    a, y, b = like(X, name="a"), like(X, name="y"), like(X, name="b")
    ops = (add(X, X, a), add(a, X, b), Quantize("q", (a,), (y,)))
    after = rewritten(graph((X,), ops, (y, b)), drop_identities)
    assert [op.outputs for op in after.ops] == [(y,), (b,)]
    assert after.ops[1].inputs == (y, X)


def test_from_input_to_output_the_copy_stays() -> None:
    y = like(X, name="y")
    assert_untouched(graph((X,), (Quantize("q", (X,), (y,)),), (y,)), drop_identities)


def test_from_output_to_output_the_copy_stays() -> None:
    a, y = like(X, name="a"), like(X, name="y")
    ops = (add(X, X, a), Quantize("q", (a,), (y,)))
    assert_untouched(graph((X,), ops, (a, y)), drop_identities)


def test_a_limit_that_no_value_reaches_goes() -> None:
    x = image(2, 3, zero_point=-100)
    first, six = Relu("r", (x,), (like(x),)), like(x)
    again = Relu("again", (first.y,), (like(x),))
    limit = Relu6("six", (again.y,), (six,))
    after = rewritten(graph((x,), (first, again, limit), (six,)), drop_identities)
    assert [op.name for op in after.ops] == ["r", "six"]


def test_a_factor_of_one_goes() -> None:
    x = image(2, 3, zero_point=4, name="x")
    quant = QuantParams((0.5,), (0,))
    for one, kept in ((2, ["first"]), (3, ["first", "mul"])):
        factor = constant(np.array([one], np.int8), quant)
        first = add(x, x, like(x))
        op = Mul("mul", (factor, first.y), (like(x),), Activation.NONE)
        ops = (replace(first, name="first"), op)
        after = rewritten(graph((x,), ops, (op.y,)), drop_identities)
        assert [o.name for o in after.ops] == kept
