"""SUM over any set of axes: int8 and int16 requantized, other types as they are stored."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinygen.ir import Array, DType, Numerics
from tinygen.ops import mean
from tinygen.ops.base import Node, OpDef
from tinygen.ops.mean import (
    PLAIN,
    Mean,
    addable,
    added_up,
    bounds,
    few_groups,
    parse_reduction,
    quantized_rows,
    sums_fit,
)
from tinygen.ops.reducing import value_rows
from tinygen.ops.unary import scale_in_range


@dataclass(frozen=True, slots=True, eq=False)
class Sum(Mean):
    """y = sum of x over ``axes``: a mean that is not divided."""

    kind: ClassVar[str] = "SUM"

    numerics: Numerics = Numerics.TFLM

    @property
    def divisor(self) -> int:
        """What the sum is divided by."""
        return 1


def parse(node: Node) -> Sum:
    """Read the node. Raises ModelError where the axes do not fit the shapes."""
    return replace(parse_reduction(node, Sum), numerics=node.numerics)


def saturating(op: Sum) -> str:
    """The numerics are TFLite Micro's where values are quantized.

    LiteRT's kernel overwrites sums before it has requantized them; use --numerics tflm.
    """
    return "" if op.x.dtype in PLAIN or op.numerics is Numerics.TFLM else op.numerics.value


def reference(op: Sum, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::QuantizedMeanOrSum, and ReduceGeneric of other types."""
    if op.x.dtype in PLAIN:
        return (added_up(op, values[0]).reshape(op.y.shape),)
    return mean.reference(op, values)


SUM: OpDef[Sum] = OpDef(
    op=Sum,
    dtypes=(DType.INT8, DType.INT16, *PLAIN),
    parse=parse,
    rules=(addable, scale_in_range, few_groups, sums_fit, saturating),
    reference=reference,
    kernels=(
        *quantized_rows(),
        *value_rows("sum", PLAIN),
    ),
    bounds=bounds,
)
