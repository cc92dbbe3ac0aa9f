"""SUM over any set of axes, int8."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinygen.ir import DType, Numerics
from tinygen.ops.base import Kernel, Node, OpDef, int8_per_tensor
from tinygen.ops.mean import Mean, bounds, few_groups, lower, parse_reduction, reference
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
    """The numerics are TFLite Micro's.

    LiteRT's kernel wraps results that int8 does not hold; use --numerics tflm.
    """
    return op.numerics.value if op.numerics is Numerics.LITERT else ""


SUM: OpDef[Sum] = OpDef(
    op=Sum,
    dtypes=(DType.INT8,),
    parse=parse,
    rules=(int8_per_tensor, scale_in_range, few_groups, saturating),
    reference=reference,
    kernels=(Kernel("tg_mean_s8", "tg_mean.h", "tg_mean", lower),),
    bounds=bounds,
)
