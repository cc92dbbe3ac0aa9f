"""Operators whose every element is a function of one element: for int8 one table says it all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tinygen.ir import Array, DType, Numerics, Op
from tinygen.ops.base import (
    Kernel,
    Node,
    OpDef,
    Rule,
    int8_per_tensor,
    integer_per_tensor,
    only_for,
)
from tinygen.ops.lut import bounds_of_table, lookup, lut_kernel
from tinygen.ops.unary import check_unary


@dataclass(frozen=True, slots=True, eq=False)
class Elementwise(Op):
    """y = f(x), element by element."""

    numerics: Numerics = Numerics.TFLM


E = TypeVar("E", bound=Elementwise)


def parse_elementwise(node: Node, op: type[E]) -> E:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return op(node.name, node.present, node.outputs, node.numerics)


@dataclass(frozen=True, slots=True)
class Wide(Generic[E]):
    """How an operator computes int16: ``reference`` on values, and the kernel."""

    reference: Callable[[E, Array], Array]
    kernel: Kernel[E]


def elementwise(
    op: type[E],
    table: Callable[[E], Array],
    rules: tuple[Rule[E], ...],
    parse: Callable[[Node], E] | None = None,
    wide: Wide[E] | None = None,
) -> OpDef[E]:
    """The operator whose 256 results ``table`` computes, for quantizations that keep ``rules``.

    ``wide`` is for int16, where the operator takes it.
    """

    def reference(op: E, values: tuple[Array, ...]) -> tuple[Array, ...]:
        if wide is not None and op.x.dtype is DType.INT16:
            return (wide.reference(op, values[0]),)
        return (lookup(table(op), values[0]),)

    rows = only_for(DType.INT8, lut_kernel(table))
    return OpDef(
        op=op,
        dtypes=(DType.INT8, DType.INT16) if wide else (DType.INT8,),
        parse=parse or (lambda node: parse_elementwise(node, op)),
        rules=(integer_per_tensor if wide else int8_per_tensor, *rules),
        reference=reference,
        kernels=(*rows, *(only_for(DType.INT16, wide.kernel) if wide else ())),
        bounds=bounds_of_table(table),
    )
