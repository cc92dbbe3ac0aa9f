"""RESIZE_BILINEAR: an image in another size, each pixel between four of the input's, int8."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, int8_per_tensor
from tinygen.ops.resizing import Resize, parse_resize
from tinygen.ops.strided import dense_strides, moved_bounds
from tinygen.ops.tabled import few_elements

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


def parse(node: Node) -> ResizeBilinear:
    """Read the node. Raises ModelError where the shapes are not those of images."""
    import tflite

    return parse_resize(node, ResizeBilinear, node.options(tflite.ResizeBilinearOptions))


def one_convention(op: ResizeBilinear) -> str:
    """Not both of align_corners and half_pixel_centers are set.

    The reference kernels refuse that.
    """
    return "both" if op.align_corners and op.half_pixel_centers else ""


def inside(op: ResizeBilinear) -> str:
    """The image grows by less than its places' precision, 1/1024 of a pixel.

    Beyond that the reference kernels read outside of the image; resize in two steps.
    """
    sizes = (op.x.shape[1], op.x.shape[2])
    fine = all(int(places(op, axis).low.max()) < size for axis, size in enumerate(sizes, start=1))
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


def reference(op: ResizeBilinear, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::ResizeBilinearInteger: halves round away from zero."""
    rows, columns = places(op, 1), places(op, 2)
    wide = values[0].astype(np.int64)
    below = rows.beyond[:, None, None]
    mixed = wide[:, rows.low] * ((1 << _BITS) - below) + wide[:, rows.high] * below
    right = columns.beyond[:, None]
    total = mixed[:, :, columns.low] * ((1 << _BITS) - right) + mixed[:, :, columns.high] * right
    nudged = np.abs(total) + (1 << (2 * _BITS - 1))
    return ((np.sign(total) * (nudged >> (2 * _BITS))).astype(np.int8),)


def lower(op: ResizeBilinear) -> tuple[Call, ...]:
    """The call of ``tg_resize_bilinear_s8``."""
    batch, row, column, _ = dense_strides(op.x.shape)
    tables = []
    for axis, stride in ((1, row), (2, column)):
        found = places(op, axis)
        entries = np.stack([found.low * stride, found.high * stride, found.beyond], axis=1)
        tables.append(entries.astype(np.int32).reshape(-1))
    shape = (
        ("batches", op.x.shape[0]),
        ("batch_step", batch),
        ("out_h", op.y.shape[1]),
        ("out_w", op.y.shape[2]),
        ("channels", op.x.shape[3]),
    )
    return (Call(shape, (("rows", tables[0]), ("columns", tables[1])), (op.x,), (op.y,)),)


RESIZE_BILINEAR = OpDef(
    op=ResizeBilinear,
    dtypes=(DType.INT8,),
    parse=parse,
    rules=(int8_per_tensor, one_convention, few_elements, inside),
    reference=reference,
    kernels=(
        Kernel("tg_resize_bilinear_s8", "tg_resize_bilinear_s8.h", "tg_resize_bilinear_s8", lower),
    ),
    bounds=moved_bounds,
)
