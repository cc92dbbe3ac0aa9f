"""Weights of four bits: read from int4 tensors, and packed again where flash counts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest

from firmware_tests.kernels.harness import check_choice
from firmware_tests.kernels.test_conv2d import conv
from firmware_tests.kernels.test_depthwise_conv2d import plain as depthwise
from firmware_tests.kernels.test_fully_connected import dense
from firmware_tests.models.writer import to_tflite
from tinygen import reference
from tinygen.compile import Options
from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tensors import unpacked_int4
from tinygen.frontend.tflite import read_model
from tinygen.interpreters import run_reference
from tinygen.ir import Graph, Numerics, Op
from tinygen.isa import Isa
from tinygen.ops.base import Kernel
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.four_bits import packed
from tinygen.optimize import Optimize
from tinygen.select import candidates
from tinygen.vectors import draw_vectors

W = TypeVar("W", bound=WeightedOp)


def with_four_bits(op: W) -> W:
    """``op`` with weights of -8 to 7."""
    weights = replace(op.weights, data=(op.weights.values >> 4).astype(np.int8))
    return replace(op, inputs=(op.x, weights, *op.inputs[2:]))


CASES: tuple[Op, ...] = (
    with_four_bits(conv("four", 1, channels=(9, 7))),
    with_four_bits(depthwise("four_multiplier", 5, channels=20, multiplier=3)),
    with_four_bits(dense("four_matrix", 6, rows=(3,), depth=33, channels=17)),
)
MORE: tuple[Op, ...] = (
    *CASES,
    with_four_bits(conv("four_groups", 2, groups=2, channels=(14, 10), dilation=(2, 1), batches=2)),
    with_four_bits(conv("four_by_one", 3, kernel=(1, 1), channels=(31, 18), stride=(2, 1))),
    with_four_bits(depthwise("four_depthwise", 4, channels=57, kernel=(3, 3), stride=(2, 1))),
)


def graph_of_one(op: Op) -> Graph:
    return Graph("four", (op.x,), (op.y,), (op,))


def as_file(op: Op) -> bytes:
    """A file of ``op`` with int4 weights."""
    return to_tflite(graph_of_one(op), {op.inputs[1]})


@pytest.mark.parametrize("optimize", [Optimize.SIZE, Optimize.SPEED])
def test_packed_rows_give_the_references_bytes(optimize: Optimize) -> None:
    options = Options(optimize=optimize)
    check_choice(MORE, Isa.DSP, options, lambda op, rows: packing_row(rows), seed=0, count=7)


def packing_row(rows: Sequence[Kernel[Any]]) -> Kernel[Any]:
    return next(row for row in rows if row.compresses)


@pytest.mark.parametrize("op", CASES, ids=lambda op: op.name)
def test_packed_weights_are_for_size(op: Op) -> None:
    for isa in (Isa.ANY, Isa.DSP | Isa.MVE):
        small, fast = (candidates(op, isa, o) for o in (Optimize.SIZE, Optimize.SPEED))
        assert small[0].function.endswith("_s4")
        assert small[0] == fast[-1] != fast[0]
        weights = dict(small[0].lower(op)[0].params)["weights"]
        assert isinstance(weights, np.ndarray)
        assert weights.nbytes <= (op.inputs[1].elements + 60) // 2


def test_few_weights_or_one_of_five_bits_stay_bytes() -> None:
    few = with_four_bits(conv("few", 1, channels=(3, 4)))
    wide = with_four_bits(conv("wide", 1, channels=(9, 7)))
    wide.weights.values[0, 0, 0, 0] = 8
    for op in (few, wide):
        assert not any(row.compresses for row in candidates(op, Isa.ANY, Optimize.SIZE))


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_an_odd_count_leaves_half_a_byte(count: int) -> None:
    values = np.array([-8, 7, -1, 0, 1, -5, 3, 2], np.int8)[:count]
    stored = packed(values[None]).view(np.uint8).reshape(-1)
    assert len(stored) == (count + 1) // 2
    assert unpacked_int4(stored, count).tolist() == values.tolist()


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
@pytest.mark.parametrize("op", MORE, ids=lambda op: op.name)
def test_int4_weights_are_the_interpreters(op: Op, numerics: Numerics) -> None:
    data, graph = as_file(op), graph_of_one(op)
    inputs = draw_vectors(graph, 6, seed=0).inputs
    (theirs,) = run_reference(data, [np.stack(c) for c in zip(*inputs, strict=True)], numerics)
    mine = reference.run_all(read_model(data, "four.tflite", numerics), inputs)
    got = np.stack([outputs[0] for outputs in mine])
    assert got.tobytes() == theirs.tobytes()


def test_int4_elsewhere_is_refused() -> None:
    op = CASES[0]
    wide = replace(op, inputs=(op.x, op.inputs[1], op.inputs[2]))
    data = to_tflite(graph_of_one(wide), {op.inputs[2]})
    with pytest.raises((UnsupportedError, ModelError), match=r"int4\[7\].*none of the weights"):
        read_model(data, "four.tflite", Numerics.TFLM)


def test_int4_data_of_another_length_is_an_error() -> None:
    op = CASES[0]
    short = replace(op.inputs[1], shape=(7, 3, 3, 8))
    data = to_tflite(graph_of_one(replace(op, inputs=(op.x, short, op.inputs[2]))), {short})
    with pytest.raises(ModelError, match="of int4 needs 252"):
        read_model(data, "four.tflite", Numerics.TFLM)


def test_int4_without_data_is_refused() -> None:
    op = CASES[0]
    empty = replace(op.inputs[1], data=None)
    data = to_tflite(graph_of_one(replace(op, inputs=(op.x, empty, op.inputs[2]))), {empty})
    with pytest.raises((UnsupportedError, ModelError), match=r"int4|no value"):
        read_model(data, "four.tflite", Numerics.TFLM)
