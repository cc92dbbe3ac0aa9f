"""PAD and PADV2: a border of one value around a tensor."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, describe, same_type

Paddings = tuple[tuple[int, int], ...]
MAX_AXES = 5
BYTES = (DType.INT8, DType.UINT8)


@dataclass(frozen=True, slots=True, eq=False)
class Pad(Op):
    """y = x with (before, after) elements of value zero added along each axis."""

    kind: ClassVar[str] = "PAD"

    paddings: Paddings

    @property
    def fill(self) -> int | float:
        """The stored value of the border: the zero point, or 0 where there is none."""
        return self.y.zero_point if self.y.dtype in BYTES else 0


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
    def fill(self) -> int | float:
        """The stored value of the border."""
        stored: int | float = self.value.values.reshape(()).item()
        return stored


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


def zero_points(op: Op) -> str:
    """Tensors of 8 bits have one scale and zero point, others have zero point 0.

    The references disagree on the border's value where 0 is not the zero point of int16.
    """
    for tensor in (op.x, op.y):
        quant = tensor.quant
        known = quant is not None and not quant.per_channel
        if not known if tensor.dtype in BYTES else quant is not None and any(quant.zero_point):
            return describe(tensor)
    return ""


def same_value_type(op: PadV2) -> str:
    """The border's value is a constant of the output's type, and of its quantization.

    Give the value in the tensor's own range, or use PAD.
    """
    value = op.value
    if not value.is_constant or value.dtype is not op.y.dtype:
        return describe(value)
    own, wanted = ((t.quant.scale, t.quant.zero_point) if t.quant else None for t in (value, op.y))
    return "" if own == wanted else f"{describe(value)} for {describe(op.y)}"


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
        known = known.including(int(op.fill))
    return Interval(
        np.pad(known.low, inner, constant_values=op.fill),
        np.pad(known.high, inner, constant_values=op.fill),
    )


def shape_of(op: Pad) -> tuple[tuple[str, int], ...]:
    """The fields of ``tg_pad_shape``: sizes of the innermost axis are in bytes.

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
    return tuple(shape)


def fill_bytes(op: Pad) -> npt.NDArray[np.uint8]:
    """The bytes of an element of the border."""
    return np.frombuffer(np.array(op.fill, op.y.dtype.numpy).tobytes(), np.uint8)


def one_byte(op: Pad) -> bool:
    """Whether the border is one byte repeated."""
    return len(set(fill_bytes(op).tolist())) == 1


def lower(op: Pad) -> tuple[Call, ...]:
    """The call of ``tg_pad``."""
    (byte,) = set(fill_bytes(op).view(np.int8).tolist())
    return (Call(shape_of(op), (("fill", byte),), (op.x,), (op.y,)),)


def lower_wide(op: Pad) -> tuple[Call, ...]:
    """The call of ``tg_pad_2``, ``tg_pad_4`` or ``tg_pad_8``."""
    return (Call(shape_of(op), (("fill", fill_bytes(op)),), (op.x,), (op.y,)),)


def wide_row(size: int) -> Kernel[Any]:
    """The row for elements of ``size`` bytes that are not all one."""
    name = f"tg_pad_{size}"
    return Kernel(name, "tg_pad.h", name, lower_wide, fits=lambda op: op.y.dtype.size == size)


BYTE_ROW: Kernel[Any] = Kernel("tg_pad", "tg_pad.h", "tg_pad", lower, fits=one_byte)


PAD = OpDef(
    op=Pad,
    dtypes=tuple(DType),
    parse=parse,
    rules=(same_type, zero_points, few_axes),
    reference=reference,
    kernels=(BYTE_ROW,),
    bounds=bounds,
)

PADV2: OpDef[PadV2] = OpDef(
    op=PadV2,
    dtypes=tuple(DType),
    parse=parse_v2,
    rules=(same_type, same_value_type, few_axes),
    reference=reference,
    kernels=(BYTE_ROW, *map(wide_row, (2, 4, 8))),
    bounds=bounds,
)
