"""LOOKUP: any function of one 8-bit value, as the table of its 256 results.

No model file holds it; passes make it of what is there.
"""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Node, OpDef
from tinygen.ops.lut import bounds_of_table, clamp_kernel, lookup, lut_kernel


@dataclass(frozen=True, slots=True, eq=False)
class Lookup(Op):
    """y = table[x]; ``inputs`` are x and the table, its entries in the order of x's bytes."""

    kind: ClassVar[str] = "LOOKUP"

    @property
    def table(self) -> Tensor:
        """The 256 results, a constant of the output's type."""
        return self.inputs[1]


def parse(node: Node) -> Lookup:
    """No file has this operator. Raises ModelError."""
    raise ModelError(f"{node.kind} '{node.name}' is no operator of the schema")


def table(op: Lookup) -> Array:
    """Results by the input's byte read as unsigned."""
    return op.table.values


def reference(op: Lookup, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """What the table says."""
    return (lookup(values[1], values[0]),)


LOOKUP = OpDef(
    op=Lookup,
    dtypes=(DType.INT8,),
    parse=parse,
    rules=(),
    reference=reference,
    kernels=(clamp_kernel(table), lut_kernel(table)),
    bounds=bounds_of_table(table),
)
