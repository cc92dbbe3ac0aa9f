"""RESIZE_BILINEAR: an image in another size, each pixel between four of the input's."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.interval import Integers
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Node, OpDef, Value, integer_per_tensor
from tinygen.ops.resizing import Resize, parse_resize
from tinygen.ops.strided import dense_strides, moved_bounds
from tinygen.ops.tabled import few_elements
from tinygen.ops.tolerance import SUM
from tinygen.ops.typed import typed_rows

_BITS = 10  # of a place's fraction


@dataclass(frozen=True, slots=True, eq=False)
class ResizeBilinear(Resize):
    """y[b, i, j, c] = the mean of four neighbours in x, weighted by their nearness."""

    kind: ClassVar[str] = "RESIZE_BILINEAR"


@dataclass(frozen=True, slots=True)
class Places:
    """For each index of the output the two of the input around it, and how far beyond the first
    it is, in parts of 1024; negative before the first pixel."""

    low: Integers
    high: Integers
    beyond: Integers


@dataclass(frozen=True, slots=True)
class FloatPlaces:
    """As ``Places``, with the weights of both, as [index, which], in float32."""

    low: Integers
    high: Integers
    weights: npt.NDArray[np.float32]


def parse(node: Node) -> ResizeBilinear:
    """Read the node. Raises ModelError where the shapes are not those of images."""
    import tflite

    return parse_resize(node, ResizeBilinear, node.options(tflite.ResizeBilinearOptions))


def one_convention(op: ResizeBilinear) -> str:
    """Not both of align_corners and half_pixel_centers are set.

    The reference kernels refuse that.
    """
    return "both" if op.align_corners and op.half_pixel_centers else ""


def types(op: ResizeBilinear) -> str:
    """Input and output are both int8 or int16 with one scale and zero point, or float32.

    Convert the model with full integer post-training quantization (int8, or 16x8), or without any.
    """
    floats = op.x.dtype is op.y.dtype is DType.FLOAT32
    return "" if floats else integer_per_tensor(op)


def inside(op: ResizeBilinear) -> str:
    """The image grows by less than its places' precision, 1/1024 of a pixel or float32's.

    Beyond that the reference kernels read outside of the image; resize in two steps.
    """
    sizes = (op.x.shape[1], op.x.shape[2])
    found = float_places if op.x.dtype is DType.FLOAT32 else places
    fine = all(int(found(op, axis).low.max()) < size for axis, size in enumerate(sizes, start=1))
    return "" if fine and max(sizes) < 2**20 else f"{op.x.shape} to {op.y.shape}"


def places(op: ResizeBilinear, axis: int) -> Places:
    """Where the output's pixels are along ``axis``.

    Source: TFLite's ``ComputeInterpolationValuesInteger``.
    """
    old, new = op.x.shape[axis], op.y.shape[axis]
    corners = int(op.align_corners and new > 1)
    scale = (((old - corners) << _BITS) + (new - corners) // 2) // (new - corners)
    at = np.arange(new, dtype=np.int64) * scale
    if op.half_pixel_centers:
        at += scale // 2 - (1 << (_BITS - 1))
    # C divides towards zero, which the limit at 0 makes of no account.
    low = np.maximum(at >> _BITS, 0)
    high = np.clip((at + (1 << _BITS) - 1) >> _BITS, 0, old - 1)
    return Places(low, high, at - (low << _BITS))


def float_places(op: ResizeBilinear, axis: int) -> FloatPlaces:
    """As ``places``, for float32. Source: TFLite's ``ComputeInterpolationValues``, in float32."""
    old, new = op.x.shape[axis], op.y.shape[axis]
    corners = int(op.align_corners and new > 1)
    scale, half = np.float32(old - corners) / np.float32(new - corners), np.float32(0.5)
    at = np.arange(new, dtype=np.float32)
    at = (at + half) * scale - half if op.half_pixel_centers else at * scale
    low = np.maximum(np.floor(at), 0).astype(np.int64)
    high = np.minimum(np.ceil(at), old - 1).astype(np.int64)
    beyond = at - low.astype(np.float32)
    return FloatPlaces(low, high, np.stack([np.float32(1) - beyond, beyond], axis=1))


def reference(op: ResizeBilinear, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::ResizeBilinearInteger: halves round away from zero.

    TFLite Micro does not resize int16; LiteRT does it as int8.
    """
    if op.x.dtype is DType.FLOAT32:
        return (_between_floats(op, values[0]),)
    rows, columns = places(op, 1), places(op, 2)
    wide = values[0].astype(np.int64)
    below = rows.beyond[:, None, None]
    mixed = wide[:, rows.low] * ((1 << _BITS) - below) + wide[:, rows.high] * below
    right = columns.beyond[:, None]
    total = mixed[:, :, columns.low] * ((1 << _BITS) - right) + mixed[:, :, columns.high] * right
    nudged = np.abs(total) + (1 << (2 * _BITS - 1))
    return ((np.sign(total) * (nudged >> (2 * _BITS))).astype(op.y.dtype.numpy),)


def _between_floats(op: ResizeBilinear, x: Array) -> Array:
    """Source: TFLite's reference_ops::ResizeBilinear, in its order of products and sums."""
    rows, columns = float_places(op, 1), float_places(op, 2)
    left, right = columns.weights[:, 0, None], columns.weights[:, 1, None]
    top, low = (rows.weights[:, side, None, None] for side in (0, 1))
    total = x[:, rows.low][:, :, columns.low] * top * left
    total = total + x[:, rows.high][:, :, columns.low] * low * left
    total = total + x[:, rows.low][:, :, columns.high] * top * right
    return np.asarray(total + x[:, rows.high][:, :, columns.high] * low * right)


def shape_of(op: ResizeBilinear) -> tuple[tuple[str, int], ...]:
    """The fields of ``tg_resize_bilinear_shape``."""
    return (
        ("batches", op.x.shape[0]),
        ("batch_step", prod(op.x.shape[1:])),
        ("out_h", op.y.shape[1]),
        ("out_w", op.y.shape[2]),
        ("channels", op.x.shape[3]),
    )


def lower(op: ResizeBilinear) -> tuple[Call, ...]:
    """The call of ``tg_resize_bilinear_s8`` or ``tg_resize_bilinear_s16``."""
    tables = []
    for axis in (1, 2):
        found, stride = places(op, axis), dense_strides(op.x.shape)[axis]
        entries = np.stack([found.low * stride, found.high * stride, found.beyond], axis=1)
        tables.append(entries.astype(np.int32).reshape(-1))
    params = (("rows", tables[0]), ("columns", tables[1]))
    return (Call(shape_of(op), params, (op.x,), (op.y,)),)


def lower_floats(op: ResizeBilinear) -> tuple[Call, ...]:
    """The call of ``tg_resize_bilinear_f32``."""
    params: list[tuple[str, Value]] = []
    for axis, name in ((1, "rows"), (2, "columns")):
        found, stride = float_places(op, axis), dense_strides(op.x.shape)[axis]
        entries = np.stack([found.low, found.high], axis=1) * stride
        params.append((name, entries.astype(np.int32).reshape(-1)))
        params.append((f"{name[:-1]}_weights", found.weights.reshape(-1)))
    return (Call(shape_of(op), tuple(params), (op.x,), (op.y,)),)


INTEGERS, FLOATS = (DType.INT8, DType.INT16), (DType.FLOAT32,)
NAME = "tg_resize_bilinear"

RESIZE_BILINEAR = OpDef(
    op=ResizeBilinear,
    dtypes=(*INTEGERS, *FLOATS),
    parse=parse,
    rules=(types, one_convention, few_elements, inside),
    reference=reference,
    kernels=(
        *typed_rows(NAME, f"{NAME}.h", NAME, lower, INTEGERS),
        *typed_rows(NAME, f"{NAME}.h", f"{NAME}_f32", lower_floats, FLOATS),
    ),
    bounds=moved_bounds,
    tolerance=SUM,
)
