"""Two operators in a row that map one 8-bit value to another are one pass over a tensor: the table
of what the second makes of the first's results.

Exact, because the table is computed by both references, for all 256 values, and each element of
the result depends on one element of the input alone. Nobody else reads what is between, which may
be of another type: DEQUANTIZE and QUANTIZE are a pair.
"""

import numpy as np
import numpy.typing as npt

from tinygen.ir import Graph, Op, Tensor
from tinygen.ops.lookup import Lookup
from tinygen.passes.rewrite import (
    maps_values,
    read_only_by,
    results_by_value,
    values_of,
    with_ops,
)


def fuse_lookups(graph: Graph) -> Graph:
    """Replace each such pair by one LOOKUP; a longer chain becomes one as well."""
    for op in graph.ops:
        first = graph.producer(op.activations[0]) if op.activations else None
        if first is None or not read_only_by(graph, first.y, op):
            continue
        if (fused := fused_with(first, op)) is not None:
            rest = (other for other in graph.ops if other is not first)
            graph = with_ops(graph, [fused if other is op else other for other in rest])
    return graph


def fused_with(first: Op, second: Op) -> Op | None:
    """The table of ``second`` after ``first``; None if one of them is no function of one value."""
    if not (maps_values(first) and maps_values(second)):
        return None
    results = results_by_value(first, second)
    if results is None:
        return None
    x, y = first.activations[0], second.y
    # Tables are in the order of bytes read as unsigned.
    order = np.argsort(values_of(x.dtype).astype(x.dtype.numpy).view(np.uint8))
    data: npt.NDArray[np.integer] = results[order].astype(y.dtype.numpy)
    table = Tensor(f"{second.name}/table", data.shape, y.dtype, y.quant, data)
    return Lookup(second.name, (x, table), second.outputs)
