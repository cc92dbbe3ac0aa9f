"""MIRROR_PAD: a border that mirrors what is inside."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Integers
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.pad import Paddings, paddings_of
from tinygen.ops.strided import dense_strides
from tinygen.ops.tabled import Places, tabled_definition


class Mirror(Enum):
    """Whether the outermost elements are mirrored too; the values are numpy's names."""

    REFLECT = "reflect"
    SYMMETRIC = "symmetric"


@dataclass(frozen=True, slots=True, eq=False)
class MirrorPad(Op):
    """y = x with (before, after) elements added along each axis, mirrored at the border."""

    kind: ClassVar[str] = "MIRROR_PAD"

    paddings: Paddings
    mode: Mirror


def parse(node: Node) -> MirrorPad:
    """Read the node. Raises ModelError where there is less to mirror than asked for."""
    import tflite

    node.arity(2)
    x = node.present[0]
    code = node.options(tflite.MirrorPadOptions).Mode()
    if not 0 <= code < len(Mirror):
        raise ModelError(f"MIRROR_PAD '{node.name}' has an unknown mode ({code})")
    mode = list(Mirror)[code]
    paddings = paddings_of(node)
    most = [size - (mode is Mirror.REFLECT) for size in x.shape]
    if any(max(pair) > limit for pair, limit in zip(paddings, most, strict=True)):
        raise ModelError(
            f"MIRROR_PAD '{node.name}': {x.shape} has too little to mirror for {paddings}"
        )
    return MirrorPad(node.name, (x,), node.outputs, paddings, mode)


def reference(op: MirrorPad, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``MirrorPad``."""
    if not op.paddings:
        return (values[0],)
    return (np.pad(values[0], op.paddings, mode=op.mode.value),)


def places(op: MirrorPad) -> Places:
    """Where the elements come from."""
    strides = dense_strides(op.x.shape)
    axes = zip(op.x.shape, op.paddings, strides, strict=True)
    skipped = int(op.mode is Mirror.REFLECT)
    return tuple(_mirrored(size, pair, skipped) * stride for size, pair, stride in axes)


def _mirrored(size: int, pair: tuple[int, int], skipped: int) -> Integers:
    """The index in the input of each index of the output."""
    index = np.arange(-pair[0], size + pair[1])
    index = np.where(index < 0, skipped - 1 - index, index)
    return np.where(index >= size, 2 * size - 1 - skipped - index, index)


MIRROR_PAD = tabled_definition(MirrorPad, parse, reference, places)
