"""Draws of QUANTIZE, DEQUANTIZE and CAST between every pair of types."""

from dataclasses import replace

from firmware_tests.conformance.bench import Bench
from tinygen.ir import DType, Tensor
from tinygen.ops.cast import SHORT, TARGETS, Cast
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.quantize import TYPES, Quantize

LARGEST = 2.0**30  # beyond it the reference's conversion to int32 is undefined


def typed(bench: Bench, dtype: DType) -> Tensor:
    """A new tensor of ``dtype`` with a scale wherever one is possible."""
    x = bench.tensor_of(dtype, bench.shape())
    if dtype is DType.INT32:
        scale = bench.scale() / 2**24
        x = bench.quantized_like(x, scale)
    return x


def quantize(bench: Bench) -> Tensor:
    pairs = [pair for pair in TYPES if bench.dtype in (pair[0], DType.INT8)]
    source, target = bench.choice(sorted(pairs, key=str))
    x = typed(bench, source)
    y = replace(typed(bench, target), shape=x.shape)
    if source is DType.FLOAT32 and bench.magnitude[x] >= LARGEST * y.scale:
        y = bench.quantized_like(y, 0.5)
    return bench.add(Quantize(y.name, (x,), (y,)))


def dequantize(bench: Bench) -> Tensor:
    x = typed(bench, bench.dtype)
    y = Tensor(bench.name(), x.shape, DType.FLOAT32)
    return bench.add(Dequantize(y.name, (x,), (y,)))


def cast(bench: Bench) -> Tensor:
    """Floats lie within what every type but int8 holds."""
    x = bench.tensor_of(bench.choice(tuple(SHORT)), bench.shape())
    y = bench.tensor_of(bench.choice(TARGETS), x.shape)
    return bench.add(Cast(y.name, (x,), (y,)))


DRAWS = (quantize, dequantize, cast)
