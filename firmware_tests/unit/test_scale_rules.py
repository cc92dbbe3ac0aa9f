"""Scales beyond which the reference kernels overflow are refused; the last ones before are not."""

import pytest

from firmware_tests.kernels.tensors import quantized
from tinygen.ir import Activation, Op
from tinygen.ops import definition_of
from tinygen.ops.add import Add
from tinygen.ops.binary import Binary
from tinygen.ops.logistic import Logistic
from tinygen.ops.mean import Mean
from tinygen.ops.mul import Mul
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu
from tinygen.ops.softmax import Softmax
from tinygen.ops.sub import Sub
from tinygen.ops.tanh import Tanh
from tinygen.quant import INT32_MAX, quantize_multiplier

NEXT = 1 + 2.0**-23  # the next float32 above a power of two, relatively


def unary(kind: type[Op], ratio: float, *attributes: object) -> Op:
    """One operand, whose scale is ``ratio`` times the result's."""
    x, y = quantized("x", (1, 8), ratio, 0), quantized("y", (1, 8), 1.0, 0)
    return kind("y", (x,), (y,), *attributes)


def mean(ratio: float) -> Op:
    x, y = quantized("x", (1, 8), ratio, 0), quantized("y", (8,), 1.0, 0)
    return Mean("y", (x,), (y,), (0,), False)


def binary(kind: type[Binary], scale: float, out: float) -> Op:
    """Two operands, one of scale ``scale`` and one of 1."""
    operands = quantized("a", (1, 8), scale, 0), quantized("b", (1, 8), 1.0, 0)
    return kind("y", operands, (quantized("y", (1, 8), out, 0),), Activation.NONE)


def bounded(kind: type[Op], scale: float, out: tuple[float, int], *attributes: object) -> Op:
    """An operator whose result has a quantization of its own."""
    x, y = quantized("x", (1, 8), scale, 0), quantized("y", (1, 8), *out)
    return kind("y", (x,), (y,), *attributes)


@pytest.mark.parametrize(
    ("last", "first_refused"),
    [
        (unary(Relu, 2.0**22 / NEXT), unary(Relu, 2.0**22)),
        (unary(Quantize, 2.0**22 / NEXT), unary(Quantize, 2.0**22)),
        (mean(2.0**22 / NEXT), mean(2.0**22)),
        (binary(Mul, 2.0**14 / NEXT, 1.0), binary(Mul, 2.0**14, 1.0)),
        (binary(Add, 1.0, 2.0**-19 * NEXT), binary(Add, 1.0, 2.0**-19)),
        (binary(Sub, 1.0, 2.0**-19 * NEXT), binary(Sub, 1.0, 2.0**-19)),
        (
            bounded(Softmax, 2.0**-26 * NEXT, (1 / 256, -128), 1.0),
            bounded(Softmax, 2.0**-26, (1 / 256, -128), 1.0),
        ),
        (
            bounded(Logistic, 2.0**32 / NEXT, (1 / 256, -128)),
            bounded(Logistic, 2.0**32, (1 / 256, -128)),
        ),
        (bounded(Tanh, 2.0**32 / NEXT, (1 / 128, 0)), bounded(Tanh, 2.0**32, (1 / 128, 0))),
    ],
    ids=lambda op: op.kind,
)
def test_the_limit_is_where_the_rule_says(last: Op, first_refused: Op) -> None:
    assert definition_of(last).violations(last) == []
    (line,) = definition_of(first_refused).violations(first_refused)
    assert "scale" in line


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (2.0**-32, (1 << 30, -31)),
        (2.0**-33, (0, 0)),
        (2.0**30 * (1 - 2.0**-31), (INT32_MAX, 30)),
        (2.0**30, (INT32_MAX, 30)),
        (1 - 2.0**-40, (1 << 30, 1)),
        (0.0, (0, 0)),
    ],
)
def test_multipliers_end_where_the_references_end(real: float, expected: tuple[int, int]) -> None:
    assert quantize_multiplier(real) == expected
