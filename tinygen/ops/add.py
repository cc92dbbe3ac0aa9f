"""ADD: elementwise sum with broadcasting, int8."""

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
class Add(Binary):
    """y = act(a + b)."""

    kind: ClassVar[str] = "ADD"


def parse(node: Node) -> Add:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    import tflite

    return parse_binary(node, Add, tflite.AddOptions)


def sum_of(op: Add) -> ScaledSum:
    """The arithmetic of ``op``."""
    return sum_of_operands(op, sign=1)


def elementwise(op: Add, a: Array, b: Array) -> Int8Array:
    """Source: TFLite's reference_integer_ops ``AddFunc``."""
    return elementwise_sum(sum_of(op), a, b)


ADD = OpDef(
    op=Add,
    parse=parse,
    rules=(int8_operands, fused_clamp, output_scale, few_loops),
    reference=reference_of(elementwise),
    kernels=(one_variable_kernel(elementwise), *sum_kernels(sum_of)),
)
