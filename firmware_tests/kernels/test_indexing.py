"""GATHER_ND, DYNAMIC_UPDATE_SLICE, EMBEDDING_LOOKUP and GATHER of int64; TILE, and what is settled.

Indices that are inputs are drawn over their whole type, so that most are clamped; the interpreters,
which stop at those, are asked with constants.
"""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.retyped import retyped
from firmware_tests.kernels.tensors import plain, quantized
from firmware_tests.kernels.test_strided import Sizes, gather, listed, moved, tensor
from firmware_tests.models.writer import to_tflite
from tinygen.errors import ModelError
from tinygen.frontend.tflite import read_model
from tinygen.ir import DType, Graph, Numerics, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.broadcast_args import BroadcastArgs
from tinygen.ops.broadcast_to import BroadcastTo
from tinygen.ops.dynamic_update_slice import DynamicUpdateSlice
from tinygen.ops.embedding_lookup import EmbeddingLookup
from tinygen.ops.gather_nd import GatherNd
from tinygen.ops.range import Range
from tinygen.ops.rank import Rank
from tinygen.ops.tile import Tile
from tinygen.passes import run_pipeline


def gather_nd(name: str, x: Sizes, indices: Tensor) -> GatherNd:
    shape = (*indices.shape[:-1], *x[indices.shape[-1] :])
    return GatherNd(name, (tensor(f"{name}_x", x), indices), (tensor(name, shape),))


def updated(name: str, x: Sizes, update: Sizes, start: Tensor) -> DynamicUpdateSlice:
    inputs = (tensor(f"{name}_x", x), tensor(f"{name}_update", update), start)
    return DynamicUpdateSlice(name, inputs, (tensor(name, x),))


def looked_up(name: str, table: Sizes, numbers: Tensor) -> EmbeddingLookup:
    shape = (*numbers.shape, *table[1:])
    return EmbeddingLookup(name, (numbers, tensor(f"{name}_x", table)), (tensor(name, shape),))


def embedding(name: str, numbers: Tensor) -> EmbeddingLookup:
    """Rows of int8 as floats, as they are in flash."""
    rows = np.random.default_rng(3).integers(-128, 128, (7, 5)).astype(np.int8)
    table = quantized(f"{name}_x", (7, 5), 0.037, 0, rows)
    y = plain(name, (*numbers.shape, 5), DType.FLOAT32)
    return EmbeddingLookup(name, (numbers, table), (y,))


def tiled(name: str, x: Sizes, multiples: Sizes) -> Op:
    shape = tuple(n * m for n, m in zip(x, multiples, strict=True))
    return moved(Tile, name, x, shape, multiples)


def computed(name: str, shape: Sizes, dtype: DType = DType.INT32) -> Tensor:
    return plain(name, shape, dtype)


CONSTANT: tuple[Op, ...] = (
    gather_nd("nd_slices", (4, 3, 2), listed("nd_i", [[0], [3], [3]])),
    gather_nd("nd_pairs", (4, 3, 2), listed("nd_j", [[[0, 1], [3, 2]]])),
    gather_nd("nd_whole", (4, 3), listed("nd_k", [[1, 2], [0, 0], [3, 1]])),
    updated("update_rows", (4, 6), (2, 6), listed("update_i", [1, 0])),
    updated("update_block", (3, 4, 5), (2, 1, 2), listed("update_j", [-4, 2, 9])),
    updated("update_deep", (2, 3, 2, 3, 4), (1, 2, 1, 2, 3), listed("update_k", [1, 1, 0, 0, 1])),
    updated("update_all", (5,), (5,), listed("update_l", [3])),
    looked_up("looked_up", (6, 4), listed("lookup_i", [5, 0, 5])),
    embedding("embedding", listed("embedding_i", [6, 0, 2, 2])),
)
COMPUTED: tuple[Op, ...] = (
    gather("gather_long", (2, 4, 3), computed("gather_i", (5,), DType.INT64), 1),
    gather_nd("nd_computed", (4, 3, 2), computed("nd_l", (5, 2))),
    gather_nd("nd_long", (4, 3, 2), computed("nd_m", (2, 3), DType.INT64)),
    updated("update_computed", (3, 4, 5), (2, 1, 2), computed("update_m", (3,))),
    updated("update_long", (4, 6), (2, 6), computed("update_n", (2,), DType.INT64)),
    looked_up("looked_computed", (6, 4), computed("lookup_j", (3,))),
    embedding("embedding_computed", computed("embedding_j", (3,))),
)
TILES: tuple[Op, ...] = (
    tiled("tile", (2, 3), (2, 1)),
    tiled("tile_both", (2, 3), (3, 2)),
    tiled("tile_three", (2, 1, 3), (1, 4, 2)),
)
SETTLED: tuple[Op, ...] = (
    BroadcastArgs(
        "args",
        (listed("args_a", [2, 1, 4]), listed("args_b", [3, 1])),
        (plain("args", (3,), DType.INT32),),
        (2, 3, 4),
    ),
    Range(
        "range",
        tuple(listed(f"range_{i}", v) for i, v in enumerate((7, -4, -3))),
        (plain("range", (4,), DType.INT32),),
        7,
        -3,
    ),
    Rank("rank", (tensor("rank_x", (2, 3)),), (plain("rank", (), DType.INT32),)),
)
CASES: tuple[Op, ...] = (*CONSTANT, *COMPUTED, *TILES, *SETTLED)
WIDE = tuple(
    retyped(op, (DType.INT16, DType.FLOAT32, DType.INT64)[i % 3])
    for i, op in enumerate((*CONSTANT[:8], *COMPUTED[:6], *TILES))
)


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *WIDE))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    litert = numerics is Numerics.LITERT
    more = (*TILES, *WIDE[:8], *WIDE[14:], *SETTLED[1:]) if litert else ()
    assert_interpreter_agrees((*CONSTANT, SETTLED[0], *more), numerics)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_computed_places_of_a_block_are_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(COMPUTED[3:5], numerics)


def test_shapes_that_broadcast_steer_later_operators() -> None:
    x, y = tensor("x", (3, 1)), tensor("y", (2, 3, 4))
    args = SETTLED[0]
    graph = Graph("args", (x,), (y,), (args, BroadcastTo("y", (x,), (y,))))
    read = read_model(to_tflite(graph), "m.tflite", Numerics.TFLM)
    assert [op.kind for op in run_pipeline(read).ops] == ["BROADCAST_TO"]


def test_a_block_larger_than_the_tensor_is_refused() -> None:
    graph = graph_of([updated("y", (2, 3), (3, 3), listed("i", [0, 0]))])
    with pytest.raises(ModelError, match=r"\(3, 3\) is no block of \(2, 3\)"):
        read_model(to_tflite(graph), "m.tflite", Numerics.TFLM)


def test_constant_indices_outside_are_refused() -> None:
    op = gather_nd("y", (4, 3), listed("i", [[4, 0]]))
    assert "Constant indices" in definition_of(op).violations(op)[0]


def test_an_asymmetric_table_is_refused() -> None:
    op = embedding("y", listed("i", [0]))
    table = replace(op.table, quant=quantized("t", (1,), 0.1, 3).quant)
    broken = replace(op, inputs=(op.numbers, table))
    assert "zero point 0" in definition_of(op).violations(broken)[0]
