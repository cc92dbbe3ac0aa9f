"""SUB: elementwise difference with broadcasting, int8."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ir import Array
from tinygen.ops.base import Node, OpDef
from tinygen.ops.binary import (
    Binary,
    Int8Array,
    few_loops,
    int8_operands,
    one_variable_kernel,
    parse_binary,
    reference_of,
)
from tinygen.ops.binary_sum import ScaledSum
from tinygen.ops.binary_sum_kernels import (
    elementwise_sum,
    output_scale,
    sum_kernels,
    sum_of_operands,
)
from tinygen.ops.convolution import fused_clamp


@dataclass(frozen=True, slots=True, eq=False)
class Sub(Binary):
    """y = act(a - b)."""

    kind: ClassVar[str] = "SUB"


def parse(node: Node) -> Sub:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    import tflite

    return parse_binary(node, Sub, tflite.SubOptions)


def sum_of(op: Sub) -> ScaledSum:
    """The arithmetic of ``op``."""
    return sum_of_operands(op, sign=-1)


def elementwise(op: Sub, a: Array, b: Array) -> Int8Array:
    """Source: TFLite's reference_ops ``SubElementwise``."""
    return elementwise_sum(sum_of(op), a, b)


SUB = OpDef(
    op=Sub,
    parse=parse,
    rules=(int8_operands, fused_clamp, output_scale, few_loops),
    reference=reference_of(elementwise),
    kernels=(one_variable_kernel(elementwise), *sum_kernels(sum_of)),
)
