"""int8 operators whose every element is a function of one element: one table says it all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tinygen.ir import Array, Numerics, Op
from tinygen.ops.base import Node, OpDef, Rule, int8_per_tensor
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


def elementwise(
    op: type[E],
    table: Callable[[E], Array],
    rules: tuple[Rule[E], ...],
    parse: Callable[[Node], E] | None = None,
) -> OpDef[E]:
    """The operator whose 256 results ``table`` computes, for quantizations that keep ``rules``."""
    return OpDef(
        op=op,
        parse=parse or (lambda node: parse_elementwise(node, op)),
        rules=(int8_per_tensor, *rules),
        reference=lambda op, values: (lookup(table(op), values[0]),),
        kernels=(lut_kernel(table),),
        bounds=bounds_of_table(table),
    )
