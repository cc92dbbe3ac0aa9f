"""Small graphs of operators that move elements, or follow from shapes and constants."""

import numpy as np

from firmware_tests.kernels.tensors import constant, plain
from firmware_tests.models.parts import SEED, activation
from tinygen.ir import Activation, DType, Graph, Op, Tensor
from tinygen.ops.broadcast_args import BroadcastArgs
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.dynamic_update_slice import DynamicUpdateSlice
from tinygen.ops.embedding_lookup import EmbeddingLookup
from tinygen.ops.gather import Gather
from tinygen.ops.gather_nd import GatherNd
from tinygen.ops.pack import Pack
from tinygen.ops.pad import PadV2
from tinygen.ops.range import Range
from tinygen.ops.rank import Rank
from tinygen.ops.select import Select
from tinygen.ops.split import Split
from tinygen.ops.split_v import SplitV
from tinygen.ops.tile import Tile
from tinygen.ops.unpack import Unpack


def select() -> Graph:
    """Rows of one tensor or of another."""
    a, b, y = (activation(name, (2, 3)) for name in "aby")
    condition = plain("condition", (2,), DType.BOOL)
    return Graph("select", (condition, a, b), (y,), (Select("y", (condition, a, b), (y,)),))


def concatenation() -> Graph:
    """Three tensors, one of them constant."""
    a, b, y = activation("a", (2, 3)), activation("b", (2, 1)), activation("y", (2, 6))
    c = constant("c", (2, 2), 0.05, -3, np.random.default_rng(SEED))
    op = Concatenation("y", (a, c, b), (y,), 1, Activation.NONE)
    return Graph("concatenation", (a, b), (y,), (op,))


def pack() -> Graph:
    """Three tensors along a new axis, one of them constant."""
    a, b, y = activation("a", (2, 3)), activation("b", (2, 3)), activation("y", (2, 3, 3))
    c = constant("c", (2, 3), 0.05, -3, np.random.default_rng(SEED))
    return Graph("pack", (a, b), (y,), (Pack("y", (a, c, b), (y,), 1),))


def gather() -> Graph:
    """Rows of a table, by constant and by computed numbers."""
    x, y, z = (
        activation(name, shape) for name, shape in (("x", (5, 3)), ("y", (2, 3)), ("z", (5, 1)))
    )
    rows = Tensor("rows", (2,), DType.INT32, None, np.array([4, 0], np.int32))
    numbers = plain("numbers", (1,), DType.INT32)
    ops = (Gather("y", (x, rows), (y,), 0, 0), Gather("z", (x, numbers), (z,), 1, 0))
    return Graph("gather", (x, numbers), (y, z), ops)


def indexed() -> Graph:
    """Rows by number, elements by place, a block at a computed place, and copies of it all."""
    x, numbers = activation("x", (5, 3)), plain("numbers", (2,), DType.INT32)
    rows, picked, block, y = (
        activation(name, shape)
        for name, shape in (("rows", (2, 3)), ("picked", (2,)), ("block", (5, 3)), ("y", (5, 6)))
    )
    places = Tensor("places", (2, 2), DType.INT32, None, np.array([[4, 0], [1, 2]], np.int32))
    ops: tuple[Op, ...] = (
        EmbeddingLookup("rows", (numbers, x), (rows,)),
        GatherNd("picked", (x, places), (picked,)),
        DynamicUpdateSlice("block", (x, rows, numbers), (block,)),
        Tile("y", (block,), (y,), (1, 2)),
    )
    return Graph("indexed", (x, numbers), (y, picked), ops)


def settled() -> Graph:
    """What follows from shapes and constants."""
    x = activation("x", (2, 3))
    rank, count, shape = (
        plain(name, sizes, DType.INT32)
        for name, sizes in (("rank", ()), ("count", (2,)), ("shape", (2,)))
    )
    ends = [
        Tensor(name, (), DType.INT32, None, np.array(value, np.int32))
        for name, value in (("first", 1), ("last", 7), ("step", 4))
    ]
    sizes = Tensor("sizes", (1,), DType.INT32, None, np.array([5], np.int32))
    ops: tuple[Op, ...] = (
        Rank("rank", (x,), (rank,)),
        Range("count", tuple(ends), (count,), 1, 4),
        BroadcastArgs("shape", (count, sizes), (shape,), (1, 5)),
    )
    return Graph("settled", (x,), (rank, shape), ops)


def parted() -> Graph:
    """A tensor in parts, in every way that there is."""
    x = activation("x", (2, 4))
    halves = (activation("half0", (2, 2)), activation("half1", (2, 2)))
    pieces = (activation("piece0", (2, 1)), activation("piece1", (2, 3)))
    rows = (activation("row0", (4,)), activation("row1", (4,)))
    ops = (
        Split("half0", (x,), halves, 1),
        SplitV("piece0", (x,), pieces, 1),
        Unpack("row0", (x,), rows, 0),
    )
    return Graph("parted", (x,), (*halves, *pieces, *rows), ops)


def pad_v2() -> Graph:
    """A border of a constant value."""
    x, y = activation("x", (1, 2, 3)), activation("y", (1, 4, 3))
    fill = constant("fill", (), 0.05, -3, np.random.default_rng(SEED))
    paddings = ((0, 0), (2, 0), (0, 0))
    pairs = Tensor("paddings", (3, 2), DType.INT32, None, np.array(paddings, np.int32))
    op = PadV2("y", (x, pairs, fill), (y,), paddings)
    return Graph("pad_v2", (x,), (y,), (op,))
