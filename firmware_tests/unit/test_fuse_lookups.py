"""fuse_lookups: functions of one 8-bit value in a row become one table."""

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    constant,
    conv,
    graph,
    image,
    kinds,
    like,
    rewritten,
)
from tinygen import reference
from tinygen.ir import Activation, DType, Graph, Numerics, Op, QuantParams, Tensor
from tinygen.isa import Isa
from tinygen.ops.add import Add
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.logistic import Logistic
from tinygen.ops.lookup import Lookup
from tinygen.ops.mul import Mul
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6
from tinygen.ops.tanh import Tanh
from tinygen.passes.fuse_lookups import fuse_lookups
from tinygen.select import candidates

X = image(2, 3, scale=0.03, zero_point=-7, name="x")
Y = image(2, 3, scale=0.05, zero_point=20, name="y")
TANGENT = image(2, 3, scale=1 / 128, zero_point=0)
HALF = constant(np.array([[50]], np.int8), QuantParams((0.01,), (0,)))
NONE = Activation.NONE


def chain(*ops: Op, x: Tensor = X) -> Graph:
    return graph((x,), ops, (ops[-1].y,))


@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
def test_a_chain_becomes_one_table(numerics: Numerics) -> None:
    first = Quantize("q", (X,), (Y,))
    second = Relu6("six", (first.y,), (like(Y),), numerics)
    third = Mul("half", (HALF, second.y), (like(X),), NONE)
    fourth = Add("twice", (third.y, third.y), (like(Y),), NONE)
    before = chain(first, second, third, fourth, Tanh("tanh", (fourth.y,), (TANGENT,), numerics))
    after = rewritten(before, fuse_lookups)
    assert kinds(after) == ["LOOKUP"]
    assert after.ops[0].name == "tanh"


def test_every_value_is_looked_up() -> None:
    x = image(256, scale=0.03, zero_point=-7, name="x")
    a, y = image(256, scale=0.021, zero_point=3), image(256, scale=1 / 256)
    ops = (Quantize("q", (x,), (a,)), Logistic("s", (a,), (y,)))
    (op,) = rewritten(chain(*ops, x=x), fuse_lookups).ops
    assert isinstance(op, Lookup)
    values = np.arange(-128, 128).astype(np.int8)
    (want,) = reference.run(chain(*ops, x=x), [values])
    np.testing.assert_array_equal(op.table.values[values.view(np.uint8)], want)


@pytest.mark.parametrize("middle", [DType.INT8, DType.UINT8])
def test_types_may_change_on_the_way(middle: DType) -> None:
    x = Tensor("x", (2, 3), DType.UINT8, QuantParams((0.04,), (128,)))
    zero = 128 if middle is DType.UINT8 else 0
    a = Tensor("a", (2, 3), middle, QuantParams((0.04,), (zero,)))
    b = image(2, 3, scale=0.04, zero_point=0)
    first, second = Quantize("a", (x,), (b,)), Quantize("b", (b,), (a,))
    ops = (first, second) if middle is DType.UINT8 else (first, Relu("b", (b,), (like(b),)))
    assert kinds(rewritten(chain(*ops, x=x), fuse_lookups)) == ["LOOKUP"]


def test_values_that_become_floats_and_bytes_again_never_become_floats() -> None:
    between = Tensor("real", X.shape, DType.FLOAT32)
    ops = (Dequantize("d", (X,), (between,)), Quantize("q", (between,), (Y,)))
    assert kinds(rewritten(chain(*ops), fuse_lookups)) == ["LOOKUP"]
    assert_untouched(graph((X,), ops, (Y, between)), fuse_lookups)


@pytest.mark.parametrize(("dtype", "row"), [(DType.INT8, "tg_clamp_s8"), (DType.UINT8, "tg_lut_8")])
def test_a_table_that_only_limits_int8_needs_no_table(dtype: DType, row: str) -> None:
    x = Tensor("x", (2, 3), dtype, QuantParams((0.04,), (0,)))
    table = constant(np.arange(256).astype(np.uint8).view(np.int8), X.quant)
    op = Lookup("table", (x, table), (X,))
    assert candidates(op, Isa.ANY)[0].function == row


def test_one_table_alone_stays() -> None:
    assert_untouched(chain(Quantize("q", (X,), (Y,))), fuse_lookups)


def test_what_others_read_stays() -> None:
    ops = (Quantize("q", (X,), (Y,)), Relu("r", (Y,), (like(Y),)))
    assert_untouched(graph((X,), ops, (ops[1].y, Y)), fuse_lookups)
    both = (*ops, add(Y, Y, image(2, 3, scale=0.2)))
    assert_untouched(graph((X,), both, (ops[1].y, both[2].y)), fuse_lookups)


def test_operators_of_more_than_one_value_stay() -> None:
    first = Quantize("q", (X,), (Y,))
    assert_untouched(chain(first, add(X, Y, like(Y))), fuse_lookups)
    vector = constant(np.array([1, 2, 3], np.int8), QuantParams((0.1,), (0,)))
    assert_untouched(chain(first, add(Y, vector, like(Y))), fuse_lookups)
    wide = constant(np.array([[[9]]], np.int8), QuantParams((0.1,), (0,)))
    assert_untouched(chain(first, add(Y, wide, image(1, 2, 3))), fuse_lookups)


def test_floats_are_no_table() -> None:
    x = Tensor("x", (2, 3), DType.FLOAT32)
    ops = (Quantize("q", (x,), (X,)), Quantize("r", (X,), (Y,)))
    assert_untouched(chain(*ops, x=x), fuse_lookups)
    image_in = image(1, 4, 4, 2, name="x")
    layer = conv(image_in, image(1, 2, 2, 3, scale=0.2))
    ops2 = (layer, Quantize("q", (layer.y,), (image(1, 2, 2, 3, scale=0.3),)))
    assert_untouched(chain(*ops2, x=image_in), fuse_lookups)
