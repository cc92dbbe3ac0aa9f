"""STRIDED_SLICE: every so-many-th element along each axis, as Python's x[begin:end:stride]."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, dense_strides, strided_definition


@dataclass(frozen=True, slots=True)
class Masks:
    """What each bit of the schema's masks says of the entry of its number.

    ``begin`` and ``end``: the entry counts as left out. ``ellipsis``: the entry stands for as many
    whole axes as are missing. ``new_axis``: the entry is an axis of size 1 that the input does not
    have. ``shrink``: one element, and the result lacks the axis. ``offset`` is no mask: ends count
    from begins.
    """

    begin: int = 0
    end: int = 0
    ellipsis: int = 0
    new_axis: int = 0
    shrink: int = 0
    offset: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """The elements ``start``, ``start + stride``, ... along one axis, ``size`` of them."""

    start: int
    stride: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class StridedSlice(Op):
    """y = x[begin:end:strides], in the terms of ``masks``."""

    kind: ClassVar[str] = "STRIDED_SLICE"

    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]
    masks: Masks = field(default_factory=Masks)

    @property
    def spans(self) -> tuple[Span, ...]:
        """What is taken along each axis of the input."""
        return cut(self)[0]


def parse(node: Node) -> StridedSlice:
    """Read the node. Raises ModelError where the slice does not give the output's shape."""
    import tflite

    node.arity(4)
    count = node.integers(1, "begin indices").size
    begin, end, strides = (
        node.integer_list(index, what, count)
        for index, what in ((1, "begin indices"), (2, "end indices"), (3, "strides"))
    )
    options: Any = node.options(tflite.StridedSliceOptions)
    masks = Masks(
        options.BeginMask(),
        options.EndMask(),
        options.EllipsisMask(),
        options.NewAxisMask(),
        options.ShrinkAxisMask(),
        bool(options.Offset()),
    )
    op = StridedSlice(node.name, node.present[:1], node.outputs, begin, end, strides, masks)
    _, shape = cut(op)
    node.makes(shape)
    return op


def cut(op: StridedSlice) -> tuple[tuple[Span, ...], tuple[int, ...]]:
    """The span along each axis of the input, and the shape of the result.

    Source: TFLite's strided_slice_logic.h and ``BuildStridedSliceParams``: indices are clamped to
    the axis; where an axis is to go, one element from the beginning is taken. Raises ModelError for
    entries that do not fit the input.
    """
    where = f"STRIDED_SLICE '{op.name}'"
    masks, shape = op.masks, op.x.shape
    bits = [1 << index for index in range(len(op.begin))]
    dots = [bit for bit in bits if bit & masks.ellipsis]
    added = sum(1 for bit in bits if bit & masks.new_axis & ~masks.ellipsis)
    taken = len(bits) - added - len(dots)
    if 0 in op.strides or len(dots) > 1 or taken > len(shape):
        raise ModelError(f"{where}: {len(bits)} entries with strides {op.strides} for {shape}")
    spans: list[Span] = []
    result: list[int] = []

    def take_whole(axes: int) -> None:
        for size in shape[len(spans) : len(spans) + axes]:
            spans.append(Span(0, 1, size))
            result.append(size)

    for index, bit in enumerate(bits):
        if bit & masks.ellipsis:
            take_whole(len(shape) - taken)
        elif bit & masks.new_axis:
            result.append(1)
        else:
            span = _span(op, index, shape[len(spans)])
            if bit & masks.shrink and not 0 <= span.start < shape[len(spans)]:
                raise ModelError(f"{where}: index {op.begin[index]} lies outside of {shape}")
            spans.append(span)
            if not bit & masks.shrink:
                result.append(span.size)
    take_whole(len(shape))
    return tuple(spans), tuple(result)


def _span(op: StridedSlice, index: int, size: int) -> Span:
    """The span of entry ``index`` along an axis of ``size``."""
    stride, masks, bit = op.strides[index], op.masks, 1 << index
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    first, last = (low, high) if stride > 0 else (high, low)

    def clamped(value: int) -> int:
        return min(max(value + size if value < 0 else value, low), high)

    start = first if bit & masks.begin else clamped(op.begin[index])
    if bit & masks.shrink:
        return Span(start, 1, 1)
    stop = op.end[index] + (start if masks.offset else 0)
    stop = last if bit & masks.end else clamped(stop)
    return Span(start, stride, max(0, -((start - stop) // stride)))


def reference(op: StridedSlice, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::StridedSlice."""
    taken = values[0]
    for axis, span in enumerate(op.spans):
        taken = taken.take(span.start + span.stride * np.arange(span.size), axis)
    return (taken.reshape(op.y.shape),)


def walks(op: StridedSlice) -> tuple[Walk, ...]:
    """Where the elements come from."""
    steps = dense_strides(op.x.shape)
    return (
        Walk(
            sum(span.start * step for span, step in zip(op.spans, steps, strict=True)),
            tuple(span.size for span in op.spans),
            tuple(span.stride * step for span, step in zip(op.spans, steps, strict=True)),
        ),
    )


STRIDED_SLICE = strided_definition(StridedSlice, parse, reference, walks)
