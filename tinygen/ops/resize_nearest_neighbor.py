"""RESIZE_NEAREST_NEIGHBOR: an image in another size, each pixel the nearest of the input."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array
from tinygen.ops.base import Node
from tinygen.ops.resizing import Resize, parse_resize
from tinygen.ops.strided import dense_strides
from tinygen.ops.tabled import Places, tabled_definition


@dataclass(frozen=True, slots=True, eq=False)
class ResizeNearestNeighbor(Resize):
    """y[b, i, j, c] = x[b, nearest row, nearest column, c]."""

    kind: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"


def parse(node: Node) -> ResizeNearestNeighbor:
    """Read the node. Raises ModelError where the shapes are not those of images."""
    import tflite

    options = node.options(tflite.ResizeNearestNeighborOptions)
    return parse_resize(node, ResizeNearestNeighbor, options)


def nearest(op: ResizeNearestNeighbor, axis: int) -> Integers:
    """The index in the input of each index of the output, along ``axis``.

    Source: TFLite's ``GetNearestNeighbor``, in float32.
    """
    old, new = op.x.shape[axis], op.y.shape[axis]
    corners = op.align_corners and new > 1
    scale = np.float32(old - corners) / np.float32(new - corners)
    middle = np.float32(0.5 if op.half_pixel_centers else 0.0)
    at = (np.arange(new, dtype=np.float32) + middle) * scale
    # Nothing is negative, so halves go up.
    index = np.floor(at.astype(np.float64) + (0.5 if op.align_corners else 0.0))
    return np.minimum(index.astype(np.int64), old - 1)


def reference(op: ResizeNearestNeighbor, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::ResizeNearestNeighbor."""
    return (values[0][:, nearest(op, 1)][:, :, nearest(op, 2)],)


def places(op: ResizeNearestNeighbor) -> Places:
    """Where the elements come from."""
    batch, row, column, _ = dense_strides(op.x.shape)
    return (
        np.arange(op.x.shape[0]) * batch,
        nearest(op, 1) * row,
        nearest(op, 2) * column,
        np.arange(op.x.shape[3]),
    )


RESIZE_NEAREST_NEIGHBOR = tabled_definition(ResizeNearestNeighbor, parse, reference, places)
