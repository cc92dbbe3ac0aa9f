"""uint8 models: LiteRT's reference kernels decide, whatever the numerics."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest

from firmware_tests.kernels.harness import check_native, compile_cases, run_native
from firmware_tests.kernels.tensors import quantized
from firmware_tests.kernels.test_conv2d import conv
from firmware_tests.kernels.test_depthwise_conv2d import plain as depthwise
from firmware_tests.kernels.test_fully_connected import dense
from firmware_tests.kernels.test_pool2d import pool
from firmware_tests.kernels.test_transpose_conv import drawn as transposed
from firmware_tests.kernels.weighted import ONE_INSTANCE, window_for
from firmware_tests.models import random_curves, random_moves, random_ops
from firmware_tests.models.old_bytes import drawn
from firmware_tests.models.scene import Scene
from firmware_tests.models.writer import to_tflite
from tinygen import reference
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.interpreters import run_litert_ref
from tinygen.ir import Activation, DType, Graph, Numerics, Op, QuantParams
from tinygen.isa import Isa
from tinygen.ops.abs import Abs
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.l2_normalization import L2Normalization
from tinygen.ops.pool2d import AveragePool2D
from tinygen.ops.window import Pair
from tinygen.passes import run_pipeline
from tinygen.select import best
from tinygen.vectors import draw_vectors

W = TypeVar("W", bound=WeightedOp)


def with_old_weights(op: W, zero_point: int) -> W:
    """``op`` with uint8 weights, which are counted from ``zero_point``."""
    weights = op.weights
    quant = QuantParams((weights.scale,), (zero_point,))
    data = (weights.values.astype(np.int16) + 128).astype(np.uint8)
    old = replace(weights, dtype=DType.UINT8, quant=quant, data=data)
    return replace(op, inputs=(op.x, old, *op.inputs[2:]))


def old_conv(name: str, zero_point: int, seed: int, **attributes: Any) -> Op:
    return with_old_weights(conv(name, seed, per_channel=False, **attributes), zero_point)


def old_depthwise(name: str, zero_point: int, seed: int, **attributes: Any) -> Op:
    return with_old_weights(depthwise(name, seed, per_channel=False, **attributes), zero_point)


def renamed(op: W, name: str) -> W:
    return replace(op, name=name, outputs=(replace(op.outputs[0], name=name),))


def old_lengths() -> L2Normalization:
    x, y = quantized("l_x", (3, 4, 7), 0.2, -40), quantized("old_lengths", (3, 4, 7), 1 / 128, 0)
    return L2Normalization("old_lengths", (x,), (y,), Activation.NONE, unsigned=True)


def halves_up(name: str, size: Pair, kernel: Pair, same: bool, channels: int) -> Op:
    window, out = window_for(size, kernel, (1, 2), (1, 1), same)
    op = pool(AveragePool2D, name, 9, size, window, out, channels)
    return replace(op, unsigned=True)  # type: ignore[call-arg]


CASES: tuple[Op, ...] = (
    with_old_weights(dense("old_matrix", 7, rows=(3,), depth=13), 3),
    with_old_weights(renamed(transposed(4), "old_transposed"), 140),
    old_conv("old", 157, 1),
    old_conv("old_words", 0, 2, channels=(8, 5), kernel=(1, 1), batches=2),
    old_conv("old_groups", 255, 3, groups=2, channels=(6, 10), dilation=(2, 1), size=(7, 6)),
    old_depthwise("old_depthwise", 204, 4, activation=Activation.RELU6),
    old_depthwise("old_multiplier", 90, 5, multiplier=3),
    old_lengths(),
    halves_up("up", (5, 6), (2, 3), True, 5),
    halves_up("up_whole", (6, 7), (6, 7), False, 3),
)
DRAWS = (
    *(draw for draw, _ in random_ops.DRAWS[:18]),
    random_curves.chosen,
    random_curves.comparison,
    random_curves.curve,
    random_curves.extreme,
    random_curves.normalized,
    random_moves.blocks,
    random_moves.gather,
    random_moves.mirror_pad,
    random_moves.pack,
    random_moves.resize,
    random_moves.split,
    random_moves.strided_slice,
    random_moves.transpose,
)


def test_every_row_gives_the_references_bytes() -> None:
    check_native(CASES)


def of_litert(graph: Graph, count: int, seed: int) -> None:
    """What tinygen reads of ``graph``, and what its passes make of it, is what LiteRT computes."""
    data, inputs = to_tflite(graph), draw_vectors(graph, count, seed).inputs
    read = read_model(data, "old.tflite", Numerics.TFLM)
    theirs = run_litert_ref(data, [np.stack(column) for column in zip(*inputs, strict=True)])
    for known in (read, run_pipeline(read)):
        mine = reference.run_all(known, inputs)
        for index, tensor in enumerate(graph.outputs):
            got = np.stack([outputs[index] for outputs in mine])
            want = theirs[index].reshape(got.shape)
            assert got.tobytes() == want.tobytes(), f"{tensor.name} of\n{graph}"


@pytest.mark.reference
@pytest.mark.parametrize("draw", DRAWS, ids=lambda d: d.__name__)
def test_drawn_operators_on_uint8_are_litert_s(draw: Callable[[Scene], Any]) -> None:
    for seed in range(4):
        graph = drawn(draw, seed)
        try:
            of_litert(graph, 6, seed)
        except UnsupportedError:
            kinds = {op.kind for op in graph.ops}
            assert kinds & {"ABS", "EXP", "RESIZE_BILINEAR"}, kinds


@pytest.mark.reference
def test_concatenation_of_uint8_brings_its_inputs_to_one_scale() -> None:
    rng = np.random.default_rng(8)
    a = quantized("a", (2, 40), 0.01, 7, dtype=DType.UINT8)
    b = quantized("b", (2, 30), 0.3, 250, dtype=DType.UINT8)
    values = rng.integers(0, 256, (2, 9)).astype(np.uint8)
    c = quantized("c", (2, 9), 0.12, 128, values, DType.UINT8)
    y = quantized("y", (2, 119), 0.07, 100, dtype=DType.UINT8)
    op = Concatenation("y", (a, b, c, a), (y,), 1, Activation.NONE)
    of_litert(Graph("old", (a, b), (y,), (op,)), 50, 0)


@pytest.mark.reference
@pytest.mark.parametrize("isa", [Isa.ANY, Isa.DSP | Isa.MVE], ids=["plain", "all"])
def test_a_whole_model_runs_as_c(isa: Isa) -> None:
    graph = drawn(random_ops.residual, 3)
    read = read_model(to_tflite(graph), "old.tflite", Numerics.TFLM)
    inputs = draw_vectors(graph, 6, 1).inputs
    got = run_native(compile_cases(read, isa, ONE_INSTANCE, best), inputs)
    want = reference.run_all(read, inputs)
    assert [a.tobytes() for v in got for a in v] == [a.tobytes() for v in want for a in v]


def test_operators_without_a_uint8_kernel_are_refused_as_the_file_has_them() -> None:
    x, y = (quantized(name, (1, 4), 0.1, 128, dtype=DType.UINT8) for name in "xy")
    graph = Graph("old", (x,), (y,), (Abs("y", (x,), (y,)),))
    with pytest.raises(UnsupportedError, match=r"ABS 'y'.*uint8\[1,4\]"):
        read_model(to_tflite(graph), "old.tflite", Numerics.LITERT)


def test_uint8_weights_go_with_uint8_activations() -> None:
    op = old_conv("mixed", 130, 4)
    data = to_tflite(Graph("mixed", (op.x,), (op.y,), (op,)))
    with pytest.raises(UnsupportedError, match=r"CONV_2D 'mixed': .*uint8 weights for other"):
        read_model(data, "mixed.tflite", Numerics.TFLM)
