"""Draws of operators that move elements, with what graphs of many operators do not draw."""

import numpy as np

from firmware_tests.conformance.bench import Bench
from firmware_tests.models.scene import Illegal, Shape, is_int8, is_vector
from tinygen.errors import ModelError
from tinygen.ir import DType, Tensor
from tinygen.ops.fill import Fill
from tinygen.ops.gather import Gather
from tinygen.ops.shape import Shape as ShapeOf
from tinygen.ops.strided_slice import Masks, StridedSlice, cut


def strided_slice(bench: Bench) -> Tensor:
    """Every mask of the schema, and fewer entries than axes."""
    x = bench.pick(lambda t: is_vector(t) and len(t.shape) <= 4)
    if bench.chance(0.15):
        return _from_offset(bench, x)
    count = bench.integer(1, 5)

    def mask(probability: float) -> int:
        return sum(1 << i for i in range(count) if bench.chance(probability))

    dots = 1 << bench.integer(0, count - 1) if bench.chance(0.3) else 0
    added = mask(0.2)
    masks = Masks(mask(0.3), mask(0.3), dots, added, mask(0.2) & ~added)
    # LiteRT takes an ellipsis that stands for no axis for one: docs/reference-differences.md.
    if dots and count - (added & ~dots).bit_count() > len(x.shape):
        raise Illegal
    most = max(x.shape)
    begin, end = (tuple(bench.integer(-most, most) for _ in range(count)) for _ in range(2))
    # Axes that go must have a stride of 1; with others both references leave the result unwritten.
    strides = tuple(
        1 if masks.shrink >> i & 1 else bench.choice((1, 1, 1, 2, 3, -1, -2)) for i in range(count)
    )
    return _sliced(bench, x, begin, end, strides, masks)


def _from_offset(bench: Bench, x: Tensor) -> Tensor:
    """Ends that count from begins, both within the axis: beyond it LiteRT reads elsewhere."""
    begin = tuple(bench.integer(0, n - 1) for n in x.shape)
    end = tuple(bench.integer(1, n - first) for n, first in zip(x.shape, begin, strict=True))
    strides = tuple(bench.integer(1, 3) for _ in x.shape)
    return _sliced(bench, x, begin, end, strides, Masks(offset=True))


def _sliced(
    bench: Bench, x: Tensor, begin: Shape, end: Shape, strides: Shape, masks: Masks
) -> Tensor:
    try:
        _, shape = cut(StridedSlice("", (x,), (x,), begin, end, strides, masks))
    except ModelError:
        raise Illegal from None
    if 0 in shape:
        raise Illegal
    y = bench.like(x, shape)
    return bench.add(StridedSlice(y.name, (x,), (y,), begin, end, strides, masks))


def gather(bench: Bench) -> Tensor:
    """Indices of any rank, in 32 or 64 bits, with axes that both have."""
    x = bench.pick(lambda t: is_vector(t) and len(t.shape) <= 4)
    axis = bench.integer(0, len(x.shape) - 1)
    batch = bench.integer(0, axis)
    rest = tuple(bench.integer(1, 4) for _ in range(bench.integer(0, 2)))
    dtype = bench.choice((DType.INT32, DType.INT32, DType.INT64))
    picked = bench.rng.integers(0, x.shape[axis], (*x.shape[:batch], *rest))
    data = np.asarray(picked, dtype.numpy)
    y = bench.like(x, (*x.shape[:axis], *rest, *x.shape[axis + 1 :]))
    indices = Tensor(f"{y.name}_indices", data.shape, dtype, None, data)
    return bench.add(Gather(y.name, (x, indices), (y,), axis, batch))


def fill(bench: Bench) -> Tensor:
    """A scalar that is computed, to any shape."""
    x = bench.like(bench.pick(is_int8), ())
    shape = tuple(bench.integer(1, 6) for _ in range(bench.integer(1, 4)))
    y = bench.like(x, shape)
    return bench.add(Fill(y.name, (x,), (y,)))


def shape_of(bench: Bench) -> Tensor:
    """The shape in either type."""
    x = bench.pick(is_vector)
    y = Tensor(bench.name(), (len(x.shape),), bench.choice((DType.INT32, DType.INT64)))
    return bench.add(ShapeOf(y.name, (x,), (y,)))


DRAWS = (strided_slice, gather, fill, shape_of)
