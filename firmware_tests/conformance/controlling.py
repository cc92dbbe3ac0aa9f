"""Draws of operators that run graphs of their own, and of those that keep state."""

from firmware_tests.conformance.bench import Bench
from firmware_tests.models.controls import if_op, while_op
from firmware_tests.models.random_lstm import float_lstm, integer_lstm
from firmware_tests.models.scene import Illegal
from tinygen.ir import DType, Numerics, Tensor

INDICES = 1 << 20


def control(bench: Bench) -> Tensor:
    """IF or WHILE, at times within one another's kind."""
    make = bench.choice((if_op, while_op))
    shape = bench.shape() or (1,)  # steps of one element are added to it
    return bench.add(make(bench.name(), shape, nested=bench.chance(0.4)))


def recurrent(bench: Bench) -> Tensor:
    """An LSTM layer."""
    index = bench.integer(0, INDICES)
    if bench.dtype is DType.FLOAT32:
        return bench.add(float_lstm(index))
    if bench.dtype not in (DType.INT8, DType.INT16):
        raise Illegal
    numerics = bench.numerics if bench.dtype is DType.INT8 else Numerics.TFLM
    return bench.add(integer_lstm(index, bench.dtype, numerics))


DRAWS = (control, recurrent)
