"""Operators that move elements: what is refused, and what is computed when compiling."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_tests.kernels.harness import ALL_ISAS, compile_cases, graph_of, run_native
from firmware_tests.kernels.tensors import plain
from firmware_tests.kernels.test_strided import gather, listed, moved, parts, tensor
from firmware_tests.models.edit import edited
from firmware_tests.models.writer import to_tflite
from tinygen.compile import Options
from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.interpreters import run_reference
from tinygen.ir import DType, Graph, Numerics, Op, Tensor
from tinygen.ops.broadcast_to import BroadcastTo
from tinygen.ops.depth_to_space import DepthToSpace
from tinygen.ops.gather import GATHER
from tinygen.ops.mirror_pad import Mirror, MirrorPad
from tinygen.ops.pack import Pack
from tinygen.ops.reshape import Reshape
from tinygen.ops.reverse_v2 import ReverseV2
from tinygen.ops.shape import Shape
from tinygen.ops.slice import Slice
from tinygen.ops.space_to_depth import SpaceToDepth
from tinygen.ops.split_v import SplitV
from tinygen.ops.strided_slice import Masks, StridedSlice
from tinygen.ops.transpose import TRANSPOSE, Transpose
from tinygen.passes import run_pipeline
from tinygen.select import best
from tinygen.vectors import draw_vectors


def computed_target() -> tuple[Graph, Tensor]:
    """The shape of an input, a part of it, packed with a constant: as Keras reshapes."""
    x = tensor("x", (2, 3, 4))
    sizes, batch = plain("sizes", (3,), DType.INT32), plain("batch", (), DType.INT32)
    target, y = plain("target", (2,), DType.INT32), tensor("y", (2, 12))
    ops: tuple[Op, ...] = (
        Shape("sizes", (x,), (sizes,)),
        StridedSlice("batch", (sizes,), (batch,), (0,), (1,), (1,), Masks(shrink=1)),
        Pack("target", (batch, listed("rest", 12)), (target,), 0),
        Reshape("y", (x,), (y,)),
    )
    return Graph("computed", (x,), (y, target), ops), target


def test_what_follows_from_shapes_is_computed_when_compiling() -> None:
    graph, _ = computed_target()
    read = read_model(to_tflite(graph), "m.tflite", Numerics.TFLM)
    left = run_pipeline(read)
    assert [op.kind for op in left.ops] == ["RESHAPE"]
    assert left.outputs[1].values.tolist() == [2, 12]


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_what_follows_from_shapes_is_what_the_interpreters_compute(numerics: Numerics) -> None:
    graph, _ = computed_target()
    inputs = draw_vectors(graph, 2, 0).inputs
    stacked = tuple(np.stack(column) for column in zip(*inputs, strict=True))
    theirs = run_reference(to_tflite(graph), stacked, numerics)
    assert theirs[1].tolist() == [[2, 12]] * 2


def test_an_operator_may_be_steered_by_what_follows_from_shapes() -> None:
    graph, target = computed_target()
    small, wide = tensor("small", (1, 12)), tensor("wide", (2, 12))
    repeat = BroadcastTo("wide", (small,), (wide,))
    steered = replace(
        graph, inputs=(*graph.inputs, small), outputs=(wide,), ops=(*graph.ops, repeat)
    )

    def by_target(tree: Any) -> None:
        names = [t.name for t in tree.subgraphs[0].tensors]
        steered = tree.subgraphs[0].operators[-1]
        steered.inputs = [steered.inputs[0], names.index(target.name.encode())]

    read = read_model(edited(to_tflite(steered), by_target), "m.tflite", Numerics.TFLM)
    assert [op.kind for op in run_pipeline(read).ops] == ["BROADCAST_TO"]


def test_an_operator_that_the_input_steers_is_refused() -> None:
    x, y, shape = tensor("x", (1, 3)), tensor("y", (2, 3)), plain("given", (2,), DType.INT32)
    graph = Graph("steered", (x, shape), (y,), (BroadcastTo("y", (x,), (y,)),))

    def by_input(tree: Any) -> None:
        names = [t.name for t in tree.subgraphs[0].tensors]
        tree.subgraphs[0].operators[0].inputs = [names.index(b"x"), names.index(b"given")]

    with pytest.raises(UnsupportedError, match=r"the shape are computed by the model"):
        read_model(edited(to_tflite(graph), by_input), "m.tflite", Numerics.TFLM)


def test_indices_outside_of_the_axis_are_refused_or_clamped() -> None:
    constant = gather("y", (4, 3), listed("rows", [0, 4]), 0)
    assert GATHER.violations(constant) == [
        "GATHER 'y': Constant indices lie within the axis. Found: 0 to 4 of (4, 3). "
        "The reference kernels ask for it."
    ]
    computed = gather("z", (4, 3), plain("rows", (3,), DType.INT32), 0)
    x, rows = np.arange(12, dtype=np.int8).reshape(4, 3), np.array([-5, 2, 2**31 - 1], np.int32)
    inputs = [(x, rows)]
    program = compile_cases(graph_of([computed]), ALL_ISAS, Options(), best)
    assert run_native(program, inputs)[0][0].tolist() == x[[0, 2, 3]].tolist()


def test_more_loops_than_the_kernel_has_are_refused() -> None:
    order = (5, 4, 3, 2, 1, 0)
    x, y = tensor("x", (2, 3, 2, 3, 2, 3)), tensor("y", (3, 2, 3, 2, 3, 2))
    op = Transpose("y", (x,), (y,), order)
    (found,) = TRANSPOSE.violations(op)
    assert "five nested loops" in found


BROKEN: tuple[tuple[Op, str], ...] = (
    (moved(Slice, "y", (4, 5), (2, 3), (3, 0)), "not within"),
    (moved(Transpose, "y", (2, 2), (2, 2), (0, 0)), "names an axis twice"),
    (moved(Transpose, "y", (2, 3), (2, 3), (1, 0)), "its output is"),
    (moved(ReverseV2, "y", (2, 3), (2, 3), (2,)), "no axis 2 among 2"),
    (moved(MirrorPad, "y", (3,), (6,), ((3, 0),), Mirror.REFLECT), "too little to mirror"),
    (moved(SpaceToDepth, "y", (1, 3, 4, 1), (1, 1, 2, 4), 2), "no blocks"),
    (moved(DepthToSpace, "y", (1, 1, 1, 6), (1, 2, 2, 1), 2), "no blocks"),
    (moved(BroadcastTo, "y", (2, 3), (4, 3)), "does not broadcast"),
    (moved(StridedSlice, "y", (4,), (4,), (0,), (4,), (0,), Masks()), "strides"),
    (moved(StridedSlice, "y", (4,), (), (4,), (5,), (1,), Masks(shrink=1)), "outside of"),
    (parts(SplitV, "y", (4, 3), 0, (3, 2)), "sizes"),
)


@pytest.mark.parametrize(("op", "message"), BROKEN, ids=lambda p: getattr(p, "kind", ""))
def test_a_file_that_contradicts_itself_is_refused(op: Op, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_model(to_tflite(graph_of([op])), "m.tflite", Numerics.TFLM)
