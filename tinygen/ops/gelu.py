"""GELU: x times the normal distribution's cumulative function, float32 and int8."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinygen.ir import Array
from tinygen.ops.base import Node
from tinygen.ops.elementwise import Elementwise, Floats, elementwise, real, tabled
from tinygen.ops.sigmoid import float_table
from tinygen.ops.tolerance import Tolerance
from tinygen.ops.unary import check_unary, scale_in_range

# 1 + tanh() near -1 is a difference of two like numbers; LiteRT's own curves are polynomials.
TOLERANCE = Tolerance(units=16, of_largest=2e-6)
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True, slots=True, eq=False)
class Gelu(Elementwise):
    """y = x * (1 + erf(x / sqrt(2))) / 2, or that with a tanh for it where ``approximate``.

    As LiteRT has it; TFLite Micro has no GELU. LiteRT's int16 depends on the C library that it runs
    on, whose erfcf() and tanhf() decide by one in its tables, so it is none of these types.
    """

    kind: ClassVar[str] = "GELU"

    approximate: bool = False


def parse(node: Node) -> Gelu:
    """Read the node. Raises ModelError where input and output shapes differ."""
    import tflite

    check_unary(node)
    approximate = bool(node.options(tflite.GeluOptions).Approximate())
    return Gelu(node.name, node.present, node.outputs, node.numerics, approximate)


def gelu(op: Gelu, x: Floats) -> Floats:
    """The function, each step rounded to float32. Source: ``GeluTransform`` and its like."""
    half = np.float32(0.5) * x
    if op.approximate:
        cubic = x + np.float32(0.044715) * x * x * x
        inner = np.float32(math.sqrt(2 / math.pi)) * cubic
        return half * (np.float32(1) + np.tanh(inner.astype(np.float64)).astype(np.float32))
    inner = x * np.float32(-math.sqrt(0.5))
    return np.asarray(half * _erfc(inner.astype(np.float64)), np.float32)


def table(op: Gelu) -> Array:
    """int8 results by the input's byte read as unsigned. Source: LiteRT's LUTPopulate."""
    return float_table(op.x, op.y, lambda x: gelu(op, x.astype(np.float32)))


def is_approximate(op: Gelu) -> bool:
    """Whether a tanh stands for erf."""
    return op.approximate


REAL = real("tg_gelu_f32", gelu, TOLERANCE, fits=lambda op: not is_approximate(op))
APPROXIMATE = real("tg_gelu_tanh_f32", gelu, TOLERANCE, fits=is_approximate)
GELU = elementwise(
    Gelu,
    parse,
    tabled(table, scale_in_range),
    replace(REAL, kernels=(*REAL.kernels, *APPROXIMATE.kernels)),
)
