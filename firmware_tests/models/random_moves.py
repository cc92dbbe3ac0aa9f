"""Random operators that move elements and compute nothing, on the tensors of a graph in the making.

As in ``random_ops``, a function raises ``Illegal`` where it finds no operand.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_tests.models.scene import Illegal, Scene, Shape, is_image, is_int8, is_vector
from tinygen.ir import DType, Numerics, Op, Tensor
from tinygen.ops.batch_to_space_nd import BatchToSpaceND
from tinygen.ops.broadcast_args import BroadcastArgs
from tinygen.ops.broadcast_to import BroadcastTo
from tinygen.ops.depth_to_space import DepthToSpace
from tinygen.ops.dynamic_update_slice import DynamicUpdateSlice
from tinygen.ops.embedding_lookup import EmbeddingLookup
from tinygen.ops.fill import Fill
from tinygen.ops.gather import Gather
from tinygen.ops.gather_nd import GatherNd
from tinygen.ops.mirror_pad import Mirror, MirrorPad
from tinygen.ops.pack import Pack
from tinygen.ops.range import Range
from tinygen.ops.rank import Rank
from tinygen.ops.resize_bilinear import ResizeBilinear
from tinygen.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinygen.ops.resizing import Resize
from tinygen.ops.reverse_v2 import ReverseV2
from tinygen.ops.shape import Shape as ShapeOf
from tinygen.ops.slice import Slice
from tinygen.ops.space_to_batch_nd import SpaceToBatchND
from tinygen.ops.space_to_depth import SpaceToDepth
from tinygen.ops.split import Split
from tinygen.ops.split_v import SplitV
from tinygen.ops.strided_slice import Masks, StridedSlice, cut
from tinygen.ops.tile import Tile
from tinygen.ops.transpose import Transpose
from tinygen.ops.unpack import Unpack


def one(scene: Scene, kind: type[Op], x: Tensor, shape: Shape, *attributes: Any) -> Tensor:
    """An operator with one input and one result of its type."""
    y = scene.like(x, shape)
    return scene.add(kind(y.name, (x,), (y,), *attributes))


def strided_slice(scene: Scene) -> Tensor:
    x = scene.pick(lambda t: is_vector(t) and len(t.shape) <= 4)
    bits = (1 << len(x.shape)) - 1
    first, last = (scene.integer(0, bits) if scene.chance(0.4) else 0 for _ in range(2))
    masks = Masks(first, last)
    begin = tuple(scene.integer(-n, n - 1) for n in x.shape)
    end = tuple(scene.integer(-n, n + 1) for n in x.shape)
    strides = tuple(scene.choice((1, 1, 1, 2, -1, -2)) for _ in x.shape)
    op = StridedSlice("", (x,), (x,), begin, end, strides, masks)
    _, shape = cut(op)
    if 0 in shape:
        raise Illegal
    return one(scene, StridedSlice, x, shape, begin, end, strides, masks)


def crop(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    begin = tuple(scene.integer(0, n - 1) if scene.chance(0.5) else 0 for n in x.shape)
    shape = tuple(scene.integer(1, n - first) for n, first in zip(x.shape, begin, strict=True))
    return one(scene, Slice, x, shape, begin)


def split(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    axis = scene.integer(0, len(x.shape) - 1)
    size = x.shape[axis]
    kind: type[Split] = scene.choice((Split, SplitV))
    if kind is Split:
        count = scene.choice([n for n in range(1, 5) if size % n == 0])
        sizes = [size // count] * count
    else:
        first = scene.integer(1, size)
        sizes = [n for n in (first, size - first) if n]
    outputs = tuple(scene.like(x, (*x.shape[:axis], n, *x.shape[axis + 1 :])) for n in sizes)
    return scene.add(kind(outputs[0].name, (x,), outputs, axis))


def unpack(scene: Scene) -> Tensor:
    x = scene.pick(lambda t: is_int8(t) and len(t.shape) > 1)
    axis = scene.choice([i for i, n in enumerate(x.shape) if n <= 4])
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    outputs = tuple(scene.like(x, shape) for _ in range(x.shape[axis]))
    return scene.add(Unpack(outputs[0].name, (x,), outputs, axis))


def pack(scene: Scene) -> Tensor:
    x = scene.pick(lambda t: is_int8(t) and len(t.shape) < 4)
    axis = scene.integer(0, len(x.shape))
    parts = [x] + [scene.constant_like(x, x.shape) for _ in range(scene.integer(0, 2))]
    scene.rng.shuffle(parts)
    y = scene.like(x, (*x.shape[:axis], len(parts), *x.shape[axis:]))
    return scene.add(Pack(y.name, tuple(parts), (y,), axis))


def transpose(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    order = tuple(int(i) for i in scene.rng.permutation(len(x.shape)))
    return one(scene, Transpose, x, tuple(x.shape[i] for i in order), order)


def reverse(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    return one(scene, ReverseV2, x, x.shape, (scene.integer(0, len(x.shape) - 1),))


def gather(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    axis = scene.integer(0, len(x.shape) - 1)
    picked = scene.rng.integers(0, x.shape[axis], scene.integer(1, 4)).astype(np.int32)
    y = scene.like(x, (*x.shape[:axis], len(picked), *x.shape[axis + 1 :]))
    indices = Tensor(f"{y.name}_indices", picked.shape, DType.INT32, None, picked)
    return scene.add(Gather(y.name, (x, indices), (y,), axis, 0))


def pick_places(scene: Scene) -> Tensor:
    """GATHER_ND by constant places."""
    x = scene.pick(is_vector)
    depth, count = scene.integer(1, len(x.shape)), scene.integer(1, 4)
    picked = scene.rng.integers(0, x.shape[:depth], (count, depth)).astype(np.int32)
    y = scene.like(x, (count, *x.shape[depth:]))
    indices = Tensor(f"{y.name}_indices", picked.shape, DType.INT32, None, picked)
    return scene.add(GatherNd(y.name, (x, indices), (y,)))


def update(scene: Scene) -> Tensor:
    """DYNAMIC_UPDATE_SLICE by a constant block, at a constant place that may lie outside."""
    x = scene.pick(is_vector)
    block = scene.constant_like(x, tuple(scene.integer(1, n) for n in x.shape))
    start = np.array([scene.integer(-1, n) for n in x.shape], np.int32)
    y = scene.like(x)
    place = Tensor(f"{y.name}_start", start.shape, DType.INT32, None, start)
    return scene.add(DynamicUpdateSlice(y.name, (x, block, place), (y,)))


def mirror_pad(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    mode = scene.choice(tuple(Mirror))
    most = [min(2, n - (mode is Mirror.REFLECT)) for n in x.shape]
    paddings = tuple((scene.integer(0, m), scene.integer(0, m)) for m in most)
    shape = tuple(n + sum(pair) for n, pair in zip(x.shape, paddings, strict=True))
    return one(scene, MirrorPad, x, shape, paddings, mode)


def resize(scene: Scene) -> Tensor:
    x = scene.pick(is_image)
    size = tuple(scene.choice((n, 2 * n, scene.integer(1, 9))) for n in x.shape[1:3])
    kind: type[Resize] = scene.choice((ResizeNearestNeighbor, ResizeBilinear))
    flags = scene.chance(0.4), scene.chance(0.4)
    return one(scene, kind, x, (x.shape[0], *size, x.shape[3]), *flags)


def weave(scene: Scene) -> Tensor:
    """BATCH_TO_SPACE_ND, with blocks of one in most graphs, whose batch is one."""
    x = scene.pick(is_image)
    choices = [(m, n) for m in (1, 2, 3) for n in (1, 2, 3) if x.shape[0] % (m * n) == 0]
    block = scene.choice(choices)
    most = [n * size - 1 for n, size in zip(block, x.shape[1:3], strict=True)]
    crops = tuple((scene.integer(0, min(1, n)), 0) for n in most)
    sizes = (n + 1 - sum(pair) for n, pair in zip(most, crops, strict=True))
    shape = (x.shape[0] // (block[0] * block[1]), *sizes, x.shape[3])
    return one(scene, BatchToSpaceND, x, shape, block, crops)


def part(scene: Scene) -> Tensor:
    """SPACE_TO_BATCH_ND, mostly with a border under LiteRT's numerics."""
    x = scene.pick(is_image)
    block = (scene.integer(1, 3), scene.integer(1, 3))
    before = tuple(scene.integer(0, 2) for _ in block)
    sizes = tuple(
        -(-(size + first) // n) for size, first, n in zip(x.shape[1:3], before, block, strict=True)
    )
    paddings = tuple(
        (first, whole * n - size - first)
        for size, first, n, whole in zip(x.shape[1:3], before, block, sizes, strict=True)
    )
    # TFLite Micro's border is what its memory held before.
    if scene.numerics is Numerics.TFLM and any(map(any, paddings)):
        raise Illegal
    shape = (x.shape[0] * block[0] * block[1], *sizes, x.shape[3])
    return one(scene, SpaceToBatchND, x, shape, block, paddings, scene.numerics)


def blocks(scene: Scene) -> Tensor:
    """SPACE_TO_DEPTH or DEPTH_TO_SPACE."""
    x = scene.pick(is_image)
    batch, height, width, channels = x.shape
    block = scene.choice((1, 2, 2, 3))
    if height % block == 0 == width % block and scene.chance(0.5):
        shape = (batch, height // block, width // block, channels * block * block)
        return one(scene, SpaceToDepth, x, shape, block)
    if channels % (block * block):
        block = 1
    shape = (batch, height * block, width * block, channels // (block * block))
    return one(scene, DepthToSpace, x, shape, block)


def repeat(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    shape = tuple(scene.integer(1, 3) if n == 1 else n for n in x.shape)
    extra = (scene.integer(1, 3),) if len(shape) < 4 and scene.chance(0.5) else ()
    return one(scene, BroadcastTo, x, (*extra, *shape))


def tile(scene: Scene) -> Tensor:
    """TILE, which LiteRT alone has."""
    x = scene.pick(is_vector)
    if scene.numerics is Numerics.TFLM:
        raise Illegal
    multiples = tuple(scene.integer(1, 2) for _ in x.shape)
    shape = tuple(n * m for n, m in zip(x.shape, multiples, strict=True))
    return one(scene, Tile, x, shape, multiples)


def fill(scene: Scene) -> Tensor:
    """FILL with a scalar, which is mostly an element of a tensor."""
    x = scene.pick(lambda t: is_int8(t) and len(t.shape) <= 4)
    if x.shape:
        at = tuple(scene.integer(0, n - 1) for n in x.shape)
        stop, ones = tuple(i + 1 for i in at), (1,) * len(at)
        x = one(scene, StridedSlice, x, (), at, stop, ones, Masks(shrink=(1 << len(at)) - 1))
    return one(scene, Fill, x, (scene.integer(1, 4), scene.integer(1, 4)))


def shape_of(scene: Scene) -> Tensor:
    x = scene.pick(is_vector)
    y = Tensor(scene.name(), (len(x.shape),), DType.INT32)
    return scene.add(ShapeOf(y.name, (x,), (y,)))


def numbered(scene: Scene, values: tuple[int, ...]) -> Tensor:
    """A constant of int32."""
    data = np.array(values, np.int32)
    return Tensor(scene.name(), data.shape, DType.INT32, None, data)


def look_up(scene: Scene) -> Tensor:
    """EMBEDDING_LOOKUP of constant numbers."""
    x = scene.pick(lambda t: is_int8(t) and len(t.shape) > 1)
    numbers = numbered(scene, tuple(scene.integer(0, x.shape[0] - 1) for _ in range(3)))
    y = scene.like(x, (3, *x.shape[1:]))
    return scene.add(EmbeddingLookup(y.name, (numbers, x), (y,)))


def settled(scene: Scene) -> Tensor:
    """BROADCAST_ARGS of constants; RANK and RANGE, which LiteRT alone has."""
    kind = scene.integer(0, 2 if scene.numerics is Numerics.LITERT else 0)
    if kind == 0:
        shape = (scene.integer(1, 4), scene.integer(1, 4))
        parts = numbered(scene, (1, shape[1])), numbered(scene, (shape[0], 1))
        y = Tensor(scene.name(), (2,), DType.INT32)
        return scene.add(BroadcastArgs(y.name, parts, (y,), shape))
    if kind == 1:
        y = Tensor(scene.name(), (), DType.INT32)
        return scene.add(Rank(y.name, (scene.pick(is_vector),), (y,)))
    first, step, count = scene.integer(-5, 5), scene.choice((-2, 1, 3)), scene.integer(1, 4)
    ends = (first, first + step * count, step)
    inputs = tuple(
        replace(t, shape=(), data=t.values.reshape(()))
        for t in (numbered(scene, (value,)) for value in ends)
    )
    y = Tensor(scene.name(), (count,), DType.INT32)
    return scene.add(Range(y.name, inputs, (y,), first, step))


MOVES: tuple[tuple[Callable[[Scene], Any], int], ...] = (
    (strided_slice, 3),
    (crop, 1),
    (split, 3),
    (unpack, 1),
    (pack, 2),
    (transpose, 1),
    (reverse, 1),
    (gather, 1),
    (pick_places, 1),
    (update, 2),
    (mirror_pad, 1),
    (resize, 3),
    (weave, 1),
    (part, 2),
    (blocks, 2),
    (repeat, 1),
    (tile, 1),
    (fill, 2),
    (look_up, 1),
    (settled, 1),
    (shape_of, 1),
)
