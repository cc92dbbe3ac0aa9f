"""What RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR share: how the file describes them."""

from dataclasses import dataclass
from typing import Any, TypeVar

from tinygen.errors import ModelError
from tinygen.ir import Op
from tinygen.ops.base import Node


@dataclass(frozen=True, slots=True, eq=False)
class Resize(Op):
    """An image [batch, height, width, channels] in another height and width.

    ``align_corners``: the corners' centres stay where they are. ``half_pixel_centers``: a pixel is
    where its middle is.
    """

    align_corners: bool
    half_pixel_centers: bool


R = TypeVar("R", bound=Resize)


def parse_resize(node: Node, op: type[R], options: Any) -> R:
    """Read the node, whose ``options`` say where pixels are.

    Raises ModelError where the shapes are not those of images.
    """
    node.arity(2)
    x, y = node.present[0], node.outputs[0]
    if len(x.shape) != 4 or len(y.shape) != 4:
        raise ModelError(f"{node.kind} '{node.name}': {x.shape} to {y.shape} are not images")
    height, width = node.integer_list(1, "sizes", 2)
    node.makes((x.shape[0], height, width, x.shape[3]))
    corners, middles = bool(options.AlignCorners()), bool(options.HalfPixelCenters())
    return op(node.name, (x,), node.outputs, corners, middles)
