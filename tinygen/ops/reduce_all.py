"""REDUCE_ALL: whether all values over any set of axes are true."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.mean import Mean
from tinygen.ops.reducing import value_definition


@dataclass(frozen=True, slots=True, eq=False)
class ReduceAll(Mean):
    """y = whether all of x are true over ``axes``, which are as those of a mean."""

    kind: ClassVar[str] = "REDUCE_ALL"


def reference(op: ReduceAll, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::ReduceGeneric."""
    return (np.asarray(np.all(values[0], axis=op.axes)).reshape(op.y.shape),)


REDUCE_ALL = value_definition(ReduceAll, "all", (DType.BOOL,), reference)
