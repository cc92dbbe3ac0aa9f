"""The explicit table of every operator that tinygen compiles; one file each."""

from typing import Any

from tinygen.ir import Op
from tinygen.ops.base import OpDef
from tinygen.ops.conv2d import CONV_2D

OPS: tuple[OpDef[Any], ...] = (CONV_2D,)

BY_KIND: dict[str, OpDef[Any]] = {definition.op.kind: definition for definition in OPS}


def definition_of(op: Op) -> OpDef[Any]:
    """The table's entry for ``op``."""
    return BY_KIND[op.kind]
