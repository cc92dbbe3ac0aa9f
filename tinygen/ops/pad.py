"""PAD and PADV2: a border of one value around a tensor."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, describe

Paddings = tuple[tuple[int, int], ...]
MAX_AXES = 5
ZERO_IS_ZERO_BYTES = (DType.INT16, DType.INT32, DType.FLOAT32)


@dataclass(frozen=True, slots=True, eq=False)
class Pad(Op):
    """y = x with (before, after) elements of value zero added along each axis."""

    kind: ClassVar[str] = "PAD"

    paddings: Paddings

    @property
    def fill(self) -> int:
        """The stored value of the border: the zero point, or 0 where there is none."""
        return self.y.zero_point if self.y.dtype is DType.INT8 else 0


@dataclass(frozen=True, slots=True, eq=False)
class PadV2(Pad):
    """As PAD, with a border of a given value, in the output's quantization.

    ``inputs`` are those of the file: x, the paddings, the value.
    """

    kind: ClassVar[str] = "PADV2"

    @property
    def value(self) -> Tensor:
        """The border's value, one element."""
        return self.inputs[-1]

    @property
    def fill(self) -> int:
        """The stored value of the border."""
        return int(self.value.values.reshape(()))


def parse(node: Node) -> Pad:
    """Read a PAD node. Raises ModelError where paddings and shapes disagree."""
    node.arity(2)
    return Pad(node.name, node.present[:1], node.outputs, paddings_of(node))


def parse_v2(node: Node) -> PadV2:
    """Read a PADV2 node. Raises ModelError where paddings and shapes disagree."""
    node.arity(3)
    paddings = paddings_of(node)
    if node.present[2].elements != 1:
        raise ModelError(
            f"PADV2 '{node.name}': the border's value has shape {node.present[2].shape}"
        )
    return PadV2(node.name, node.present, node.outputs, paddings)


def paddings_of(node: Node) -> Paddings:
    """The paddings, input 1 of ``node``. Raises ModelError where they do not fit the shapes."""
    where = f"{node.kind} '{node.name}'"
    if len(node.present) != len(node.inputs):
        raise ModelError(f"{where}: an input is missing")
    x, paddings, y = node.present[0], node.present[1], node.outputs[0]
    values = node.integers(1, "paddings")
    if paddings.shape != (len(x.shape), 2):
        raise ModelError(f"{where}: paddings {paddings.shape} do not fit input {x.shape}")
    pairs = tuple((int(before), int(after)) for before, after in values)
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, pairs, strict=True))
    if y.shape != shape or min((min(pair) for pair in pairs), default=0) < 0:
        raise ModelError(f"{where}: paddings {pairs} do not take {x.shape} to {y.shape}")
    return pairs


def types(op: Pad) -> str:
    """The tensor is int8 with one scale, int16 with zero point 0, or int32 or float32.

    Convert the model with full integer post-training quantization (int8).
    """
    for tensor in (op.x, op.y):
        quant = tensor.quant
        if tensor.dtype is DType.INT8:
            supported = quant is not None and not quant.per_channel
        else:
            # The references disagree on the value of the border where 0 is not the zero point.
            symmetric = quant is None or not any(quant.zero_point)
            supported = tensor.dtype in ZERO_IS_ZERO_BYTES and symmetric
        if not supported:
            return describe(tensor)
    return "" if op.x.dtype is op.y.dtype else f"{describe(op.x)} to {describe(op.y)}"


def int8_value(op: PadV2) -> str:
    """The border's value is a constant int8 in the output's quantization.

    Give the value in the tensor's own range, or use PAD.
    """
    value = op.value
    if not value.is_constant or value.dtype is not DType.INT8 or op.y.dtype is not DType.INT8:
        return describe(value)
    agree = (
        value.quant is not None
        and op.y.quant is not None
        and (
            (value.quant.scale, value.quant.zero_point) == (op.y.quant.scale, op.y.quant.zero_point)
        )
    )
    return "" if agree else f"{describe(value)} for {describe(op.y)}"


def few_axes(op: Pad) -> str:
    """The tensor has at most five axes.

    Merge axes in the model.
    """
    return str(op.x.shape) if len(op.x.shape) > MAX_AXES else ""


def reference(op: Pad, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Pad: copies the stored values, whatever the input's scale."""
    return (np.pad(values[0], op.paddings, constant_values=op.fill),)


def bounds(op: Pad, bounds_of: BoundsOf) -> Interval:
    """The input's, and the border's value where there is a border."""
    known = bounds_of(op.x)
    *outer, inner = op.paddings or ((0, 0),)
    if any(map(any, outer)):
        known = known.including(op.fill)
    return Interval(
        np.pad(known.low, inner, constant_values=op.fill),
        np.pad(known.high, inner, constant_values=op.fill),
    )


def lower(op: Pad) -> tuple[Call, ...]:
    """The call of ``tg_pad``: sizes of the innermost axis are in bytes.

    Axes without padding merge with the next inner one.
    """
    sizes, pairs = [op.x.dtype.size], [(0, 0)]
    for size, pair in zip(reversed(op.x.shape), reversed(op.paddings), strict=True):
        if pairs[-1] == (0, 0):
            inner = sizes[-1]
            sizes[-1], pairs[-1] = size * inner, (pair[0] * inner, pair[1] * inner)
        else:
            sizes.append(size)
            pairs.append(pair)
    sizes += [1] * (MAX_AXES - len(sizes))
    pairs += [(0, 0)] * (MAX_AXES - len(pairs))
    # From the innermost axis outwards, a unit of padding is a whole padded inner block.
    shape, block = [("size", sizes[0])], 1
    before, after = pairs[0]
    shape += [("before0", before), ("after0", after)]
    block = sizes[0] + before + after
    for level in range(1, MAX_AXES):
        before, after = pairs[level]
        shape += [
            (f"n{level}", sizes[level]),
            (f"before{level}", before * block),
            (f"after{level}", after * block),
        ]
        block *= sizes[level] + before + after
    return (Call(tuple(shape), (("fill", op.fill),), (op.x,), (op.y,)),)


PAD = OpDef(
    op=Pad,
    dtypes=(DType.INT8, *ZERO_IS_ZERO_BYTES),
    parse=parse,
    rules=(types, few_axes),
    reference=reference,
    kernels=(Kernel("tg_pad", "tg_pad.h", "tg_pad", lower),),
    bounds=bounds,
)

PADV2: OpDef[PadV2] = OpDef(
    op=PadV2,
    dtypes=(DType.INT8,),
    parse=parse_v2,
    rules=(types, few_axes, int8_value),
    reference=reference,
    kernels=(Kernel("tg_pad", "tg_pad.h", "tg_pad", lower),),
    bounds=bounds,
)
