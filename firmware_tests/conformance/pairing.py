"""Draws of operators with two operands, with what graphs of many operators do not draw."""

from dataclasses import replace

import numpy as np

from firmware_tests.conformance.bench import Bench
from firmware_tests.kernels.tensors import constant, plain
from firmware_tests.models.random_curves import plausible
from firmware_tests.models.random_ops import add_window
from firmware_tests.models.scene import Illegal, Shape, thinned
from tinygen.ir import Activation, Array, DType, Tensor
from tinygen.ops.atan2 import Atan2
from tinygen.ops.binary import Binary
from tinygen.ops.div import Div
from tinygen.ops.floor_div import FloorDiv
from tinygen.ops.floor_mod import FloorMod
from tinygen.ops.maximum import Maximum
from tinygen.ops.minimum import Minimum
from tinygen.ops.pool2d import L2Pool2D
from tinygen.ops.pow import Pow
from tinygen.ops.prelu import Prelu
from tinygen.ops.select import Select
from tinygen.ops.squared_difference import SquaredDifference
from tinygen.quant import dtype_range

SIGNED = (DType.INT8, DType.INT16, DType.INT32, DType.INT64)
SMALL = 9  # divisors within this of the zero point leave quotients room


def divisor(bench: Bench, x: Tensor, shape: Shape) -> Tensor:
    """A constant that is never 0, where the references stop."""
    b = bench.tensor_of(x.dtype, shape)
    if x.dtype is DType.FLOAT32:
        signs = bench.rng.choice([-1.0, 1.0], shape)
        return replace(b, data=np.asarray(signs * bench.rng.uniform(0.1, 9, shape), np.float32))
    if x.dtype not in SIGNED:
        raise Illegal
    low, high = dtype_range(x.dtype)
    zero = b.zero_point if b.quant else 0
    if bench.chance(0.5):
        low, high = max(low, zero - SMALL), min(high, zero + SMALL)
    values: Array = bench.rng.integers(low, high, shape, x.dtype.numpy.type, endpoint=True)
    # FLOOR_DIV and FLOOR_MOD divide stored values, whatever the zero point is; and the least value
    # by -1 is not in the type.
    bad = [zero, 0, -1]
    good = next(v for v in (2, 3, 4, 5) if v not in bad)
    return replace(b, data=np.where(np.isin(values, bad), good, values).astype(x.dtype.numpy))


def division(bench: Bench) -> Tensor:
    """DIV, FLOOR_DIV or FLOOR_MOD."""
    kind: type[Binary] = bench.choice((Div, FloorDiv, FloorMod))
    a = bench.pick(lambda t: t.dtype is bench.dtype)
    b = divisor(bench, a, thinned(bench, a.shape))
    y = bench.like(a)
    if kind is Div and a.quant and b.quant:
        # Below the largest divisor the references shift too far: docs/reference-differences.md.
        largest = float(np.abs(b.values.astype(float) - b.zero_point).max())
        ratio = largest * bench.rng.uniform(1.05, 4)
        y = bench.quantized_like(y, plausible(a.scale / b.scale / ratio))
    clamp = bench.clamp() if kind is Div else Activation.NONE
    return bench.add(kind(y.name, (a, b), (y,), clamp))


def choice(bench: Bench) -> Tensor:
    """SELECT, its condition for all elements, for rows, or one for all."""
    a = bench.pick(lambda t: t.dtype is bench.dtype and len(t.shape) > 0)
    shape = bench.choice((a.shape, a.shape[:1], ()))
    condition = plain(bench.name(), shape, DType.BOOL)
    y = bench.like(a)
    return bench.add(Select(y.name, (condition, a, bench.like(a)), (y,)))


def wide_prelu(bench: Bench) -> Tensor:
    """PRELU of int16, whose slopes are int8."""
    a = bench.pick(lambda t: t.dtype is DType.INT16)
    b = constant(bench.name(), thinned(bench, a.shape), bench.scale(), 0, bench.rng)
    y = bench.quantized_like(bench.like(a), plausible(a.scale * bench.rng.uniform(0.3, 3)))
    return bench.add(Prelu(y.name, (a, b), (y,), Activation.NONE))


def two_tensors(bench: Bench) -> Tensor:
    """MAXIMUM, MINIMUM, SQUARED_DIFFERENCE or PRELU of two tensors, either of which broadcasts."""
    kind: type[Binary] = bench.choice((Maximum, Minimum, SquaredDifference, Prelu))
    a = bench.pick(lambda t: t.dtype is DType.INT8)
    b = bench.tensor(thinned(bench, a.shape))
    y = bench.like(a)
    if kind in (Maximum, Minimum):
        b = bench.like(a, b.shape)
    else:
        y = bench.tensor(a.shape, plausible(max(a.scale, b.scale) ** 2 * bench.rng.uniform(5, 300)))
    pair = (b, a) if kind is not Prelu and bench.chance(0.4) else (a, b)
    return bench.add(kind(y.name, pair, (y,), Activation.NONE))


def power(bench: Bench) -> Tensor:
    """POW or ATAN2; whole numbers to the power of 0 or 1, so that all fit."""
    kind: type[Binary] = bench.choice((Pow, Pow, Atan2))
    a = bench.pick(lambda t: t.dtype is bench.dtype)
    b = bench.tensor_of(bench.dtype, a.shape if kind is Atan2 else thinned(bench, a.shape))
    if bench.dtype is DType.INT32:
        b = replace(b, data=bench.rng.integers(0, 2, b.shape).astype(np.int32))
    y = bench.like(a)
    return bench.add(kind(y.name, (a, b), (y,), Activation.NONE))


def root_pool(bench: Bench) -> Tensor:
    """L2_POOL_2D."""
    x = bench.pick(lambda t: t.dtype is DType.FLOAT32 and len(t.shape) == 4)
    window, out = add_window(bench, (x.shape[1], x.shape[2]), dilated=False)
    if 0 in out:
        raise Illegal
    y = bench.like(x, (x.shape[0], *out, x.shape[3]))
    return bench.add(L2Pool2D(y.name, (x,), (y,), window, bench.clamp()))


DRAWS = (division, choice, wide_prelu, two_tensors, power, root_pool)
