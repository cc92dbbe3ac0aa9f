"""Operators that move elements whose places in the input lie evenly: SLICE, TRANSPOSE and kin.

Each describes its results as walks over its input, and has no code of its own beyond that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, Rule, channels_of, same_type

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout

MAX_LOOPS = 5


@dataclass(frozen=True, slots=True)
class Walk:
    """Element (i0, i1, ...) of a result is element offset + i0 * strides[0] + ... of the input.

    ``sizes`` are the result's axes, or finer ones whose product is the same.
    """

    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


Walks = Callable[[O], tuple[Walk, ...]]
"""One walk for each result."""


def dense_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The elements from one index to the next along each axis of a dense tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


@dataclass(frozen=True, slots=True)
class Nest:
    """A walk as ``tg_strided_copy`` takes it, in bytes: loops around runs, the outermost first."""

    run: int
    loops: tuple[tuple[int, int], ...]


def nest_of(walk: Walk, element: int) -> Nest:
    """The fewest loops and the longest runs for elements of ``element`` bytes."""
    loops: list[tuple[int, int]] = []  # the innermost first
    for size, stride in reversed(tuple(zip(walk.sizes, walk.strides, strict=True))):
        step = stride * element
        if size == 1:
            continue
        if loops and step == loops[-1][0] * loops[-1][1]:
            loops[-1] = (size * loops[-1][0], loops[-1][1])
        else:
            loops.append((size, step))
    run = element
    if loops and loops[0][1] == element:
        run *= loops.pop(0)[0]
    return Nest(run, tuple(reversed(loops)))


def copy_call(walk: Walk, x: Tensor, y: Tensor) -> Call:
    """The call of ``tg_strided_copy`` that makes ``y`` of ``x``."""
    nest = nest_of(walk, x.dtype.size)
    loops = ((1, 0),) * (MAX_LOOPS - len(nest.loops)) + nest.loops
    shape = [("size", nest.run)]
    for index, (count, step) in enumerate(loops):
        shape += [(f"n{index}", count), (f"step{index}", step)]
    return Call(tuple(shape), (("offset", walk.offset * x.dtype.size),), (x,), (y,))


def strided_kernel(walks: Walks[O]) -> Kernel[O]:
    """The table row of an operator whose results ``walks`` describes."""
    return Kernel(
        "tg_strided_copy",
        "tg_strided_copy.h",
        "tg_strided_copy",
        lambda op: tuple(
            copy_call(walk, op.x, y) for walk, y in zip(walks(op), op.outputs, strict=True)
        ),
    )


def few_loops(walks: Walks[O]) -> Rule[O]:
    """The rule that the kernel's loops are enough."""

    def few_axes(op: O) -> str:
        """Moving the elements takes at most five nested loops.

        Split the operator in two.
        """
        counts = [len(nest_of(walk, 1).loops) for walk in walks(op)]
        return f"{op.x.shape} to {op.y.shape}" if max(counts) > MAX_LOOPS else ""

    return few_axes


def moved_bounds(op: Op, bounds_of: BoundsOf) -> Interval:
    """Every element of the result is one of the input's."""
    return bounds_of(op.x).hull(channels_of(op.y))


def strided_definition(
    op: type[O],
    parse: Callable[[Node], O],
    reference: Callable[[O, tuple[Array, ...]], tuple[Array, ...]],
    walks: Walks[O],
) -> OpDef[O]:
    """The operator that does nothing but what ``walks`` tells."""
    return OpDef(
        op=op,
        dtypes=tuple(DType),
        parse=parse,
        rules=(same_type, few_loops(walks)),
        reference=reference,
        kernels=(strided_kernel(walks),),
        bounds=moved_bounds,
    )


def block_walk(shape: Sequence[int], begin: Sequence[int], sizes: Sequence[int]) -> Walk:
    """The block of ``sizes`` that begins at ``begin``, in a tensor of ``shape``."""
    strides = dense_strides(shape)
    offset = sum(first * stride for first, stride in zip(begin, strides, strict=True))
    return Walk(offset, tuple(sizes), strides)


def part_walks(op: Op, axis: int, sizes: Sequence[int]) -> tuple[Walk, ...]:
    """The parts of ``sizes`` along ``axis`` that the input falls into."""
    shape, walks, first = op.x.shape, [], 0
    for size in sizes:
        begin = [first if i == axis else 0 for i in range(len(shape))]
        walks.append(block_walk(shape, begin, (*shape[:axis], size, *shape[axis + 1 :])))
        first += size
    return tuple(walks)
