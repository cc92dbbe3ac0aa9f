"""FILL: a tensor of one value."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Node, OpDef, same_type
from tinygen.ops.broadcast_to import walks
from tinygen.ops.strided import moved_bounds, strided_kernel


@dataclass(frozen=True, slots=True, eq=False)
class Fill(Op):
    """Every element of y is x, which has one element."""

    kind: ClassVar[str] = "FILL"


def parse(node: Node) -> Fill:
    """Read the node. Raises ModelError where there are many values, or shapes disagree."""
    node.arity(2)
    value, y = node.present[1], node.outputs[0]
    node.makes(node.integer_list(0, "shape", len(y.shape)))
    if value.shape:
        raise ModelError(f"FILL '{node.name}': the value has shape {value.shape}")
    return Fill(node.name, (value,), node.outputs)


def reference(op: Fill, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Fill."""
    return (np.full(op.y.shape, values[0]),)


FILL: OpDef[Fill] = OpDef(
    op=Fill,
    dtypes=tuple(DType),
    parse=parse,
    rules=(same_type,),
    reference=reference,
    kernels=(strided_kernel(walks),),
    bounds=moved_bounds,
)
