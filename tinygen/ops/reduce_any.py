"""REDUCE_ANY: whether any value over any set of axes is true."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.mean import Mean
from tinygen.ops.reducing import value_definition


@dataclass(frozen=True, slots=True, eq=False)
class ReduceAny(Mean):
    """y = whether any of x is true over ``axes``, which are as those of a mean."""

    kind: ClassVar[str] = "REDUCE_ANY"


def reference(op: ReduceAny, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::ReduceGeneric. TFLite Micro has no kernel of it."""
    return (np.asarray(np.any(values[0], axis=op.axes)).reshape(op.y.shape),)


REDUCE_ANY = value_definition(ReduceAny, "any", (DType.BOOL,), reference)
