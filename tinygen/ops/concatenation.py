"""CONCATENATION along any axis: one strided copy for each input."""

from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Activation, Array, DType, Op
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, describe


@dataclass(frozen=True, slots=True, eq=False)
class Concatenation(Op):
    """y = the inputs, one after the other along ``axis``, which is not negative."""

    kind: ClassVar[str] = "CONCATENATION"

    axis: int
    activation: Activation


def parse(node: Node) -> Concatenation:
    """Read the node. Raises ModelError where the shapes do not fit together."""
    import tflite

    y, inputs = node.outputs[0] if node.outputs else None, node.present
    if y is None or len(node.outputs) != 1 or not inputs or len(inputs) != len(node.inputs):
        raise ModelError(f"CONCATENATION '{node.name}' needs one input or more, and one output")
    options = node.options(tflite.ConcatenationOptions)
    rank, axis = len(y.shape), options.Axis()
    if not -rank <= axis < rank:
        raise ModelError(f"CONCATENATION '{node.name}': output {y.shape} has no axis {axis}")
    axis %= rank
    total = sum(t.shape[axis] if len(t.shape) == rank else 0 for t in inputs)
    shape = (*y.shape[:axis], total, *y.shape[axis + 1 :])
    fitting = all(
        len(t.shape) == rank
        and (*t.shape[:axis], *t.shape[axis + 1 :]) == (*y.shape[:axis], *y.shape[axis + 1 :])
        for t in inputs
    )
    if shape != y.shape or not fitting:
        raise ModelError(
            f"CONCATENATION '{node.name}': inputs {[t.shape for t in inputs]} do not make "
            f"{y.shape} along axis {axis}"
        )
    activation = node.activation(options.FusedActivationFunction())
    return Concatenation(node.name, inputs, node.outputs, axis, activation)


def one_type(op: Op) -> str:
    """Inputs and output have one type.

    Insert a CAST or a QUANTIZE before the input in question.
    """
    wrong = (t for t in op.inputs if t.dtype is not op.y.dtype)
    return next((f"{describe(t)} into {describe(op.y)}" for t in wrong), "")


def one_quantization(op: Concatenation) -> str:
    """Inputs and output of 8 bits have one scale and zero point; those of int16 have zero point 0.

    The reference kernels ask for it; insert a QUANTIZE before the input in question.
    """
    tensors = (*op.inputs, op.y)
    if op.y.dtype is DType.INT16:
        # They are copied as they are, whatever the scales.
        odd = (t for t in tensors if t.quant is not None and any(t.quant.zero_point))
        return next((f"{describe(t)} into {describe(op.y)}" for t in odd), "")
    if op.y.dtype not in (DType.INT8, DType.UINT8):
        return ""
    quants = [(t.quant.scale, t.quant.zero_point) if t.quant else None for t in tensors]
    wrong = (t for t, q in zip(tensors, quants, strict=True) if q is None or q != quants[-1])
    return next((f"{describe(t)} into {describe(op.y)}" for t in wrong), "")


def no_activation(op: Concatenation) -> str:
    """There is no fused activation.

    Put the activation after the concatenation, as an operator of its own.
    """
    return "" if op.activation is Activation.NONE else op.activation.value


def reference(op: Concatenation, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Concatenation."""
    return (np.concatenate(values, axis=op.axis),)


def bounds(op: Concatenation, bounds_of: BoundsOf) -> Interval:
    """Channels side by side, or, along another axis, of either input."""
    parts = [bounds_of(tensor) for tensor in op.inputs]
    if op.axis < len(op.y.shape) - 1:
        return reduce(Interval.joined, parts)
    return Interval(
        np.concatenate([part.low for part in parts]), np.concatenate([part.high for part in parts])
    )


def side_by_side(op: Op, count: int) -> tuple[Call, ...]:
    """One call of ``tg_concat`` for each input, of which every ``count``-th part is a block."""
    stride = op.y.nbytes // count
    calls, offset = [], 0
    for tensor in op.inputs:
        size = tensor.nbytes // count
        shape = (("count", count), ("size", size), ("stride", stride))
        if size:
            calls.append(Call(shape, (("offset", offset),), (tensor,), (op.y,)))
        offset += size
    return tuple(calls)


def lower(op: Concatenation) -> tuple[Call, ...]:
    """One call of ``tg_concat`` for each input."""
    return side_by_side(op, prod(op.y.shape[: op.axis]))


CONCATENATION = OpDef(
    op=Concatenation,
    dtypes=tuple(DType),
    parse=parse,
    rules=(one_type, one_quantization, no_activation),
    reference=reference,
    kernels=(Kernel("tg_concat", "tg_concat.h", "tg_concat", lower),),
    bounds=bounds,
)
