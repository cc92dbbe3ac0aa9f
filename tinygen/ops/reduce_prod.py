"""REDUCE_PROD: the product over any set of axes, which LiteRT alone has."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.mean import Mean, in_order
from tinygen.ops.reducing import value_definition

TYPES = (DType.INT32, DType.INT64, DType.FLOAT32)


@dataclass(frozen=True, slots=True, eq=False)
class ReduceProd(Mean):
    """y = the product of x over ``axes``, which are as those of a mean; integers wrap."""

    kind: ClassVar[str] = "REDUCE_PROD"


def reference(op: ReduceProd, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::ReduceGeneric: from 1 on in the order of the input."""
    with np.errstate(over="ignore"):
        steps = np.cumprod(in_order(op, values[0]), axis=0, dtype=values[0].dtype)
    return (steps[-1].reshape(op.y.shape),)


REDUCE_PROD = value_definition(ReduceProd, "prod", TYPES, reference)
