"""fold_constants: operators of constants are computed when the model is compiled."""

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
from tinygen.errors import UnsupportedError
from tinygen.ops.pad import Pad
from tinygen.ops.relu import Relu
from tinygen.ops.reshape import Reshape
from tinygen.passes.fold_constants import LARGEST_CONSTANT_BYTES, fold_constants

X = image(4, name="x", zero_point=0)
K = constant(np.array([[-5, 7], [90, -100]], np.int8), X.quant)


def test_a_chain_of_constants_becomes_one() -> None:
    flat, positive, y = like(X), like(X), like(X, name="y")
    before = graph(
        (X,),
        (Reshape("flatten", (K,), (flat,)), Relu("act", (flat,), (positive,)), add(X, positive, y)),
        (y,),
    )
    assert str(before).splitlines() == [
        "%0 = input int8[4] s=0.05 z=0",
        "%2 = reshape(#1)  int8[4] s=0.05 z=0",
        "%3 = relu(%2) numerics=tflm  int8[4] s=0.05 z=0",
        "%4 = add(%0, %3) activation=none  int8[4] s=0.05 z=0",
        "return %4",
    ]
    after = rewritten(before, fold_constants)
    assert str(after).splitlines() == [
        "%0 = input int8[4] s=0.05 z=0",
        "%2 = add(%0, #1) activation=none  int8[4] s=0.05 z=0",
        "return %2",
    ]
    np.testing.assert_array_equal(after.ops[0].inputs[1].values, [0, 7, 90, 0])


def test_an_output_may_become_a_constant() -> None:
    y = like(X, name="y")
    after = rewritten(graph((), (Reshape("flatten", (K,), (y,)),), (y,)), fold_constants)
    assert str(after) == "return #0"
    np.testing.assert_array_equal(after.outputs[0].values, [-5, 7, 90, -100])


def test_an_operator_that_reads_an_activation_stays() -> None:
    y = like(X)
    k = constant(np.zeros(4, np.int8), X.quant)
    assert_untouched(graph((X,), (add(X, k, y),), (y,)), fold_constants)


def test_a_constant_that_no_board_could_hold_is_refused() -> None:
    small = constant(np.zeros((1, 2), np.int8), X.quant)
    huge = replace(X, name="huge", shape=(1, LARGEST_CONSTANT_BYTES + 2))
    paddings = ((0, 0), (0, LARGEST_CONSTANT_BYTES))
    pad = Pad("pad", (small,), (huge,), paddings)
    with pytest.raises(UnsupportedError, match=r"PAD 'pad' makes constants of 16,777,218 bytes"):
        fold_constants(graph((X,), (pad,), (huge,)))
