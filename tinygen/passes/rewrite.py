"""What the passes share: looking at a graph's users, and replacing tensors and operators."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType, Graph, Op, Tensor, with_tensors
from tinygen.ops import definition_of
from tinygen.ops.base import channels_of
from tinygen.ops.binary import Binary
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.elementwise import Elementwise
from tinygen.ops.lookup import Lookup
from tinygen.ops.quantize import Quantize

UNARY = (Dequantize, Elementwise, Lookup, Quantize)


def same_type(a: Tensor, b: Tensor) -> bool:
    """Whether the bytes of one mean the same as the bytes of the other."""
    return (a.shape, a.dtype, a.quant) == (b.shape, b.dtype, b.quant)


def read_only_by(graph: Graph, tensor: Tensor, *ops: Op) -> bool:
    """Whether nobody but ``ops`` sees ``tensor``."""
    return tensor not in graph.results and all(op in ops for op in graph.consumers(tensor))


def with_ops(graph: Graph, ops: Sequence[Op], by: Mapping[Tensor, Tensor] | None = None) -> Graph:
    """``graph`` with operators ``ops``, and tensors replaced everywhere."""
    by = by or {}
    return replace(
        graph,
        outputs=tuple(by.get(t, t) for t in graph.outputs),
        ops=tuple(with_tensors(op, by) for op in ops),
        states=tuple(replace(s, after=by.get(s.after, s.after)) for s in graph.states),
    )


def without_identity(graph: Graph, op: Op) -> Graph:
    """``graph`` without ``op``, whose result equals its only activation in value and type.

    The model's inputs, outputs and states stay the tensors that they are, so where ``op`` leads
    from one to the other, it is needed as the copy that it is.
    """
    x, y = op.activations[0], op.y
    rest = [other for other in graph.ops if other is not op]
    if y not in graph.results:
        return with_ops(graph, rest, {y: x})
    if x.is_constant or x in graph.sources or x in graph.results:
        return graph
    return with_ops(graph, rest, {x: y})


def maps_values(op: Op) -> bool:
    """Whether each element of the result is a function of the same element of one activation."""
    if not op.activations or op.activations[0].shape != op.y.shape:
        return False
    if isinstance(op, UNARY):
        return True
    if not isinstance(op, Binary):
        return False
    constants = [t for t in op.inputs if t.is_constant]
    return op.a is op.b or (len(constants) == 1 and constants[0].elements == 1)


def results_by_value(*chain: Op) -> npt.NDArray[np.int64] | None:
    """What operators, one after the other, make of -128..127 (or 0..255), from their references.

    None where the first's operand or the last's result have other types; between there may be any.
    For operators that treat elements alike.
    """
    dtype = chain[0].activations[0].dtype
    if not {dtype, chain[-1].y.dtype} <= {DType.INT8, DType.UINT8}:
        return None
    values: Array = values_of(dtype).astype(dtype.numpy)
    for op in chain:
        x = op.activations[0]
        by = {t: replace(t, shape=values.shape) for t in (x, op.y)}
        arguments = tuple(t.values if t.is_constant else values for t in op.inputs)
        (values,) = definition_of(op).reference(with_tensors(op, by), arguments)
    return values.astype(np.int64)


def values_of(dtype: DType) -> npt.NDArray[np.int64]:
    """All values of an 8-bit type, ascending."""
    info = np.iinfo(dtype.numpy)
    return np.arange(info.min, info.max + 1, dtype=np.int64)


def results_by_channel(op: Op) -> npt.NDArray[np.int64] | None:
    """What ``op`` makes of each 8-bit value in each channel: [channels, 256], values ascending.

    As ``results_by_value``, and for ADD, SUB and MUL by one constant for each channel too. None for
    operators whose result's elements are no functions of the same element of one activation.
    """
    channels = channels_of(op.y)
    if maps_values(op):
        results = results_by_value(op)
        return None if results is None else np.tile(results, (channels, 1))
    vectors = [t for t in op.inputs if t.is_constant]
    if not isinstance(op, Binary) or len(vectors) != 1 or op.y.dtype is not DType.INT8:
        return None
    (vector,), x = vectors, op.activations[0]
    if x.shape != op.y.shape or not vector.shape[-1:] == (vector.elements,) == (channels,):
        return None
    values = np.repeat(values_of(x.dtype).astype(x.dtype.numpy)[:, None], channels, axis=1)
    by = {t: replace(t, shape=values.shape) for t in (x, op.y)}
    arguments = (t.values.reshape(channels) if t.is_constant else values for t in op.inputs)
    (found,) = definition_of(op).reference(with_tensors(op, by), tuple(arguments))
    return np.ascontiguousarray(found.T, np.int64)
