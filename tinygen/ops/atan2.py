"""ATAN2: the angle of a point, float32, as LiteRT has it; nothing broadcasts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Node, OpDef
from tinygen.ops.binary import Binary, broadcast_operands, reference_of
from tinygen.ops.plain import Plain, operands
from tinygen.ops.tolerance import CURVE


@dataclass(frozen=True, slots=True, eq=False)
class Atan2(Binary):
    """y = the angle from the first axis to (b, a), in -pi to pi; there is no fused activation."""

    kind: ClassVar[str] = "ATAN2"


def parse(node: Node) -> Atan2:
    """Read the node. Raises ModelError where shapes differ."""
    a, b = broadcast_operands(node)
    if a.shape != b.shape:
        raise ModelError(f"ATAN2 '{node.name}': shapes {a.shape} and {b.shape} differ")
    return Atan2(node.name, (a, b), node.outputs, Activation.NONE)


def angle(a: Array, b: Array) -> Array:
    """Source: C's ``atan2``, in float32."""
    return np.arctan2(a.astype(np.float64), b.astype(np.float64))


PLAIN: Plain[Atan2] = Plain("atan2", (DType.FLOAT32,), angle)

ATAN2 = OpDef(
    op=Atan2,
    dtypes=PLAIN.dtypes,
    parse=parse,
    rules=(operands(PLAIN.dtypes),),
    reference=reference_of(PLAIN.elementwise),
    kernels=PLAIN.kernels,
    tolerance=CURVE,
)
