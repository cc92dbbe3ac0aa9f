"""Draws of reductions over any set of axes."""

from firmware_tests.conformance.bench import Bench
from firmware_tests.models.scene import is_vector
from tinygen.ir import Tensor
from tinygen.ops.mean import Mean
from tinygen.ops.reduce_all import ReduceAll
from tinygen.ops.reduce_any import ReduceAny
from tinygen.ops.reduce_max import ReduceMax
from tinygen.ops.reduce_min import ReduceMin
from tinygen.ops.reduce_prod import ReduceProd
from tinygen.ops.sum import Sum

OF_VALUES = (ReduceMax, ReduceMin, ReduceProd, ReduceAll, ReduceAny)


def reduction(bench: Bench) -> Tensor:
    """A reduction; quantizations are apart where there is arithmetic."""
    x = bench.pick(is_vector)
    first = bench.integer(0, len(x.shape) - 1)
    axes = tuple(i for i in range(len(x.shape)) if i == first or bench.chance(0.4))
    keep = bench.chance(0.5)
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    kind: type[Mean] = bench.choice((Mean, Sum, *OF_VALUES))
    alike = kind in OF_VALUES or bench.chance(0.4)
    y = bench.like(x, shape) if alike else bench.tensor(shape)
    own = (bench.numerics,) if kind is Sum else ()
    return bench.add(kind(y.name, (x,), (y,), axes, keep, *own))


DRAWS = (reduction,)
