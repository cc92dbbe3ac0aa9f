"""Operators that move elements by strides or by tables: against numpy, and that against the
interpreters."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.retyped import retyped
from firmware_tests.kernels.tensors import plain, quantized
from tinygen.ir import DType, Numerics, Op, Tensor
from tinygen.ops.batch_to_space_nd import BatchToSpaceND
from tinygen.ops.broadcast_to import BroadcastTo
from tinygen.ops.depth_to_space import DepthToSpace
from tinygen.ops.fill import Fill
from tinygen.ops.gather import Gather
from tinygen.ops.mirror_pad import Mirror, MirrorPad
from tinygen.ops.pack import Pack
from tinygen.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinygen.ops.reverse_v2 import ReverseV2
from tinygen.ops.shape import Shape
from tinygen.ops.slice import Slice
from tinygen.ops.space_to_depth import SpaceToDepth
from tinygen.ops.split import Split
from tinygen.ops.split_v import SplitV
from tinygen.ops.strided_slice import Masks, StridedSlice, cut
from tinygen.ops.transpose import Transpose
from tinygen.ops.unpack import Unpack

Sizes = tuple[int, ...]


def tensor(name: str, shape: Sizes, dtype: DType = DType.INT8) -> Tensor:
    """Bytes are moved whatever they mean, so one quantization will do."""
    if dtype is DType.INT8:
        return quantized(name, shape, 0.1, 5)
    return plain(name, shape, dtype)


def listed(name: str, values: Any, dtype: DType = DType.INT32) -> Tensor:
    data = np.array(values, dtype.numpy)
    return Tensor(name, data.shape, dtype, None, data)


def moved(
    kind: type[Op], name: str, x: Sizes, y: Sizes, *attributes: Any, dtype: DType = DType.INT8
) -> Op:
    return kind(name, (tensor(f"{name}_x", x, dtype),), (tensor(name, y, dtype),), *attributes)


def strided_slice(
    name: str,
    x: Sizes,
    entries: tuple[Sizes, Sizes, Sizes],
    dtype: DType = DType.INT8,
    **masks: Any,
) -> StridedSlice:
    """``entries`` are begin, end and strides."""
    given = tensor(f"{name}_x", x, dtype)
    op = StridedSlice(name, (given,), (given,), *entries, Masks(**masks))
    return replace(op, outputs=(tensor(name, cut(op)[1], dtype),))


def parts(kind: type[Split], name: str, x: Sizes, axis: int, sizes: Sizes) -> Split:
    shapes = [(*x[:axis], size, *x[axis + 1 :]) for size in sizes]
    outputs = tuple(tensor(f"{name}_{i}", shape) for i, shape in enumerate(shapes))
    return kind(name, (tensor(f"{name}_x", x),), outputs, axis)


def unpack(name: str, x: Sizes, axis: int) -> Unpack:
    shape = (*x[:axis], *x[axis + 1 :])
    outputs = tuple(tensor(f"{name}_{i}", shape) for i in range(x[axis]))
    return Unpack(name, (tensor(f"{name}_x", x),), outputs, axis)


def pack(name: str, x: Sizes, axis: int, count: int) -> Pack:
    inputs = tuple(tensor(f"{name}_{i}", x) for i in range(count))
    return Pack(name, inputs, (tensor(name, (*x[:axis], count, *x[axis:])),), axis)


def gather(
    name: str, x: Sizes, indices: Tensor, axis: int, batch: int = 0, dtype: DType = DType.INT8
) -> Gather:
    shape = (*x[:axis], *indices.shape[batch:], *x[axis + 1 :])
    inputs = (tensor(f"{name}_x", x, dtype), indices)
    return Gather(name, inputs, (tensor(name, shape, dtype),), axis, batch)


def mirrored(name: str, x: Sizes, paddings: tuple[tuple[int, int], ...], mode: Mirror) -> Op:
    shape = tuple(n + sum(pair) for n, pair in zip(x, paddings, strict=True))
    return moved(MirrorPad, name, x, shape, paddings, mode)


def fill(name: str, shape: Sizes) -> Op:
    return moved(Fill, name, (), shape)


def resized(name: str, x: Sizes, size: tuple[int, int], corners: bool, middles: bool) -> Op:
    shape = (x[0], *size, x[3])
    return moved(ResizeNearestNeighbor, name, x, shape, corners, middles)


def strided_slices() -> Iterator[Op]:
    """Every mask that TFLite Micro heeds, both directions, and clamped ends."""
    yield strided_slice("crop", (1, 6, 5, 3), ((0, 1, 0, 0), (1, 5, 5, 3), (1, 1, 2, 1)))
    yield strided_slice(
        "masked", (2, 6, 5, 3), ((1, 3, 9, 1), (0, 0, 0, 2), (1, 1, 1, 1)), begin=6, end=7
    )
    yield strided_slice("back", (5, 7), ((-1, 6), (-9, 0), (-2, -3)), begin=2)
    yield strided_slice("shrunk", (3, 4, 5), ((-2, 1, 0), (0, 9, 99), (1, 2, 1)), shrink=1)
    yield strided_slice("one", (7,), ((3,), (4,), (1,)), shrink=1)
    yield strided_slice("wide", (4, 3, 2), ((1, 0, 0), (4, 3, 2), (2, 1, 1)), DType.FLOAT32)


def full_slices() -> Iterator[Op]:
    """What LiteRT has beyond that: fewer entries than axes, dots, new axes."""
    yield strided_slice("short", (5, 4, 3), ((1,), (4,), (2,)))
    yield strided_slice("dots", (5, 4, 3), ((0, 1), (0, 3), (1, 1)), ellipsis=1)
    yield strided_slice("dots_only", (5, 4), ((2, 0), (3, 0), (1, 1)), ellipsis=2, shrink=1)
    yield strided_slice("new", (5, 4), ((1, 0, 2), (4, 0, 4), (1, 1, 1)), new_axis=2)
    yield strided_slice(
        "all", (5, 4, 3), ((0, 0, 0, 1), (0, 0, 0, 2), (1, 1, 1, 1)), new_axis=5, ellipsis=2
    )


def transposed(name: str, x: Sizes, order: Sizes, dtype: DType = DType.INT8) -> Op:
    return moved(Transpose, name, x, tuple(x[axis] for axis in order), order, dtype=dtype)


def walkers() -> Iterator[Op]:
    """The rest of ``tg_strided_copy``'s users."""
    yield moved(Slice, "slice4", (2, 5, 4, 3), (1, 3, 4, 2), (1, 2, 0, 1))
    yield moved(Slice, "slice1", (9,), (4,), (5,), dtype=DType.INT32)
    yield moved(Slice, "slice5", (2, 3, 2, 3, 2), (1, 2, 2, 2, 1), (1, 1, 0, 1, 0))
    yield parts(Split, "split_channels", (1, 3, 2, 6), 3, (2, 2, 2))
    yield parts(Split, "split_rows", (4, 5), 0, (2, 2))
    yield parts(SplitV, "split_v", (2, 7, 3), 1, (1, 4, 2))
    yield unpack("unpack", (2, 3, 4), 1)
    yield unpack("unpack_last", (5, 2), 1)
    yield transposed("nchw", (1, 4, 5, 3), (0, 3, 1, 2))
    yield transposed("turned", (2, 3, 4, 5), (3, 2, 1, 0))
    yield transposed("matrix", (7, 9), (1, 0), DType.FLOAT32)
    yield transposed("five", (2, 3, 2, 3, 2), (4, 1, 3, 0, 2))
    yield moved(BroadcastTo, "broadcast", (3, 1, 2), (2, 3, 4, 2))
    yield moved(BroadcastTo, "broadcast_scalar", (1,), (3, 2))
    yield fill("fill", (3, 5))
    yield moved(ReverseV2, "reverse", (3, 4, 5), (3, 4, 5), (1,))
    yield moved(ReverseV2, "reverse_all", (3, 4), (3, 4), (0, 1), dtype=DType.INT32)
    yield moved(SpaceToDepth, "to_depth", (2, 4, 6, 3), (2, 2, 3, 12), 2)
    yield moved(DepthToSpace, "to_space", (2, 2, 3, 18), (2, 6, 9, 2), 3)
    yield moved(DepthToSpace, "to_space_wide", (1, 2, 2, 4), (1, 4, 4, 1), 2, dtype=DType.FLOAT32)


def typed_shape() -> Op:
    return Shape("shape", (tensor("shape_x", (2, 1, 5)),), (plain("shape", (3,), DType.INT32),))


def pickers() -> Iterator[Op]:
    """PACK, and the users of ``tg_table_copy`` and ``tg_gather``."""
    yield pack("pack", (2, 3), 1, 3)
    yield pack("pack_first", (5,), 0, 2)
    yield gather("gather_rows", (6, 4), listed("rows", [5, 0, 0, 3]), 0)
    yield gather("gather_middle", (3, 5, 2), listed("middle", [[4, 1], [0, 2]]), 1)
    yield gather("gather_one", (4, 3), listed("single", 2), 0, dtype=DType.FLOAT32)
    yield gather("gather_batch", (2, 3, 5), listed("batch", [[0, 4], [3, 3]]), 2, 1)
    yield mirrored("mirror_image", (1, 4, 3, 2), ((0, 0), (3, 1), (2, 0), (0, 0)), Mirror.REFLECT)
    yield mirrored("mirror_all", (2, 3, 2, 3), ((1, 0), (0, 2), (1, 1), (2, 2)), Mirror.REFLECT)
    yield mirrored("mirror_self", (2, 3), ((2, 1), (3, 0)), Mirror.SYMMETRIC)
    yield resized("twice", (2, 3, 2, 3), (6, 4), False, False)
    yield resized("corners", (1, 4, 5, 1), (7, 3), True, False)
    yield resized("middles", (1, 5, 7, 2), (3, 10), False, True)
    yield resized("both", (1, 3, 4, 2), (5, 7), True, True)
    block, crops = (2, 3), ((1, 0), (2, 1))
    yield moved(BatchToSpaceND, "images", (12, 2, 3, 2), (2, 3, 6, 2), block, crops)
    yield moved(BatchToSpaceND, "rows", (6, 3, 2), (2, 8, 2), (3,), ((0, 1),))


def computed_indices() -> Op:
    """GATHER with indices that are an input; those of the drawn vectors mostly lie outside."""
    return gather("gather_computed", (2, 4, 3), plain("computed", (5,), DType.INT32), 1)


WALKERS = tuple(walkers())
COMMON: tuple[Op, ...] = (*strided_slices(), *WALKERS, typed_shape(), *pickers())
CASES: tuple[Op, ...] = (*COMMON, computed_indices())
NARROW = tuple(op for op in COMMON if op.x.dtype is DType.INT8 and op.kind != "SHAPE")
OTHERS = (DType.INT16, DType.INT64, DType.BOOL, DType.UINT8, DType.INT32)
# What neither reference moves.
UNKNOWN = {
    ("DEPTH_TO_SPACE", DType.INT16),
    ("RESIZE_NEAREST_NEIGHBOR", DType.INT64),
    ("SPACE_TO_DEPTH", DType.INT16),
    ("UNPACK", DType.INT64),
    *(
        (kind, DType.BOOL)
        for kind in ("DEPTH_TO_SPACE", "PACK", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V")
    ),
}


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *full_slices()))


@pytest.mark.parametrize("dtype", [DType.INT16, DType.INT64])
def test_other_types_move_alike(dtype: DType) -> None:
    check_native([retyped(op, dtype) for op in NARROW[::2]], count=2)


@pytest.mark.reference
def test_reference_is_tflite_micros() -> None:
    assert_interpreter_agrees(COMMON, Numerics.TFLM)


@pytest.mark.reference
def test_reference_is_litert_s() -> None:
    assert_interpreter_agrees((*COMMON, *full_slices()), Numerics.LITERT)


@pytest.mark.reference
def test_reference_is_litert_s_in_other_types() -> None:
    pairs = [(op, OTHERS[i % len(OTHERS)]) for i, op in enumerate(NARROW)]
    ops = [retyped(op, dtype) for op, dtype in pairs if (op.kind, dtype) not in UNKNOWN]
    assert_interpreter_agrees(ops, Numerics.LITERT, count=3)
