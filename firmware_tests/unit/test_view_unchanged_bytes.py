"""view_unchanged_bytes: what changes the meaning of bytes and no byte becomes a view."""

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    constant,
    graph,
    image,
    kinds,
    like,
    rewritten,
)
from tinygen.ir import Activation, DType, Op, QuantParams, Tensor
from tinygen.ops.add import Add
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6
from tinygen.ops.reshape import Reshape
from tinygen.passes.view_unchanged_bytes import view_unchanged_bytes

X = image(2, 3, scale=0.05, zero_point=-128, name="x")
NEARLY = image(2, 3, scale=0.05001, zero_point=-128, name="y")
COARSER = image(2, 3, scale=0.06, zero_point=-128, name="y")
ZEROS = constant(np.array([0, 0, 0], np.int8), QuantParams((0.05,), (0,)))
ONES = constant(np.array([0, 0, 1], np.int8), QuantParams((0.05,), (0,)))
NONE = Activation.NONE


@pytest.mark.parametrize(
    "op",
    [
        Quantize("op", (X,), (NEARLY,)),
        Relu6("op", (small := image(2, 3, scale=0.01, zero_point=-128),), (COARSER,)),
        Add("op", (X, ZEROS), (NEARLY,), NONE),
    ],
    ids=["nearly equal scales", "a copy", "zeros for each channel"],
)
def test_equal_bytes_are_a_view(op: Op) -> None:
    before = graph((op.x,), (op, last := add(op.y, op.y, like(op.y))), (last.y,))
    assert kinds(rewritten(before, view_unchanged_bytes)) == ["RESHAPE", "ADD"]


@pytest.mark.parametrize(
    "op",
    [
        Quantize("op", (X,), (COARSER,)),
        Quantize("op", (X,), (Tensor("y", (2, 3), DType.UINT8, X.quant),)),
        Relu6("op", (X,), (like(X),)),
        Add("op", (X, ONES), (NEARLY,), NONE),
        Reshape("op", (X,), (COARSER,)),
        Add("op", (X, X), (image(2, 3, scale=0.1, zero_point=-127),), NONE),
    ],
    ids=["another scale", "another type", "a limit", "a one", "a view", "another zero point"],
)
def test_what_changes_a_byte_or_is_a_view_stays(op: Op) -> None:
    assert_untouched(graph((X,), (op,), (op.y,)), view_unchanged_bytes)


def test_a_limit_that_the_channel_cannot_reach_is_a_view() -> None:
    x = image(2, 3, scale=0.05, zero_point=-100, name="x")
    first = Relu6("first", (x,), (like(x),))
    second = Relu6("second", (first.y,), (image(2, 3, scale=0.2, zero_point=-100),))
    after = rewritten(graph((x,), (first, second), (second.y,)), view_unchanged_bytes)
    assert kinds(after) == ["RELU6", "RESHAPE"]


def test_bytes_of_another_type_stay_even_where_they_are_equal() -> None:
    x = image(2, 3, scale=0.05, zero_point=0, name="x")
    first = Relu("first", (x,), (like(x),))
    unsigned = Tensor("y", (2, 3), DType.UINT8, x.quant)
    second = Quantize("second", (first.y,), (unsigned,))
    assert_untouched(graph((x,), (first, second), (unsigned,)), view_unchanged_bytes)
