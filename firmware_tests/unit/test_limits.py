"""What is sound, and more than tinygen takes, is refused soon and without much memory."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_tests.kernels.tensors import constant, plain
from firmware_tests.models.edit import edited, shaped
from firmware_tests.models.parts import activation, weights
from firmware_tests.models.samples import residual, sub
from firmware_tests.models.writer import to_tflite
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import inspect_model, read_model
from tinygen.ir import Activation, DType, Graph, Numerics, Tensor
from tinygen.ops.abs import Abs
from tinygen.ops.broadcast_to import BroadcastTo
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.if_then_else import If
from tinygen.ops.window import Window
from tinygen.passes import run_pipeline
from tinygen.passes.fold_constants import fold_constants

SEED = 20240229


def test_an_activation_larger_than_any_memory_is_a_problem() -> None:
    found = inspect_model(
        edited(to_tflite(residual()), shaped(1, 2**15, 2**12, 1)), "m.tflite", Numerics.TFLM
    )
    assert any("takes 134,217,728 bytes; tinygen compiles" in p for p in found.problems)
    assert found.graph is None


def test_a_last_dimension_without_bound_is_a_problem() -> None:
    found = inspect_model(
        edited(to_tflite(residual()), shaped(1, 1, 1, 2**21)), "m.tflite", Numerics.TFLM
    )
    assert any("has a last dimension of 2,097,152; tinygen takes" in p for p in found.problems)


def test_too_many_operators_are_refused_soon() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].operators = model.subgraphs[0].operators * 3000

    with pytest.raises(UnsupportedError, match="6,000 operators; tinygen reads up to 2,048"):
        inspect_model(edited(to_tflite(residual()), change), "m.tflite", Numerics.TFLM)


def test_channels_without_bound_in_all_are_a_problem() -> None:
    graph, wide = sub(), (1, 2**20)
    x = activation("x", wide)
    made = [activation(f"y{i}", wide) for i in range(5)]
    ops = tuple(Abs(y.name, (x,), (y,)) for y in made)
    found = inspect_model(
        to_tflite(replace(graph, inputs=(x,), outputs=tuple(made), ops=ops)),
        "m.tflite",
        Numerics.TFLM,
    )
    assert any("add up to 6,291,456; tinygen takes" in p for p in found.problems)


def test_constants_that_blow_up_one_after_the_other_are_refused() -> None:
    """Each is small enough; together they are more than tinygen folds."""
    value = constant("v", (1,), 0.05, 0, np.random.default_rng(SEED))
    made = [activation(f"y{i}", (10, 2**20), 0.05, 0) for i in range(2)]
    ops = tuple(BroadcastTo(y.name, (value,), (y,)) for y in made)
    graph = Graph("bomb", (activation("x", (1,)),), tuple(made), ops)
    with pytest.raises(UnsupportedError, match="makes constants of 20,971,520 bytes"):
        fold_constants(graph)


def test_constants_that_take_long_to_compute_are_refused() -> None:
    x = constant("x", (1, 256, 256, 8), 0.05, 0, np.random.default_rng(SEED))
    y = activation("y", (1, 256, 256, 8))
    window = Window((9, 9), (1, 1), (1, 1), (4, 4))
    op = Conv2D("y", (x, weights("w", (8, 9, 9, 8))), (y,), window, Activation.NONE)
    with pytest.raises(UnsupportedError, match="339,738,624 multiply-accumulates"):
        fold_constants(Graph("long", (activation("i", (1,)),), (y,), (op,)))


def one_branch(name: str, x: Tensor, inner: Graph) -> Graph:
    """``inner`` if a condition holds, and else as well."""
    condition = plain(f"{name}_condition", (1,), DType.BOOL)
    outputs = tuple(replace(t, name=f"{name}_{i}") for i, t in enumerate(inner.outputs))
    op = If(outputs[0].name, (condition, x), outputs, (inner, inner))
    return Graph(name, (condition, x), outputs, (op,))


def test_subgraphs_too_deep_within_one_another_are_refused() -> None:
    """There was a RecursionError."""
    x = plain("x", (1,), DType.BOOL)
    graph = Graph("leaf", (x,), (x,), ())
    for depth in range(300):
        flag, y = plain(f"flag{depth}", (1,), DType.BOOL), plain(f"y{depth}", (1,), DType.BOOL)
        otherwise = Graph(f"else{depth}", (x,), (x,), ())
        op = If(y.name, (flag, flag), (y,), (graph, otherwise))
        graph = Graph(f"level{depth}", (flag,), (y,), (op,))
    with pytest.raises(UnsupportedError, match="subgraph"):
        read_model(to_tflite(graph), "m.tflite", Numerics.TFLM)


def test_channels_inside_of_branches_count() -> None:
    x, y = activation("x", (1, 2**20)), activation("y", (1, 2**20))
    branch = Graph("branch", (x,), (y,), (Abs("y", (x,), (y,)),))
    given = activation("given", (1, 2**20))
    found = inspect_model(to_tflite(one_branch("m", given, branch)), "m.tflite", Numerics.TFLM)
    assert any("add up to 6,291,457; tinygen takes" in p for p in found.problems)


def test_constants_that_blow_up_in_branches_are_refused() -> None:
    x, y = activation("x", (1,), 0.05, 0), activation("y", (10, 2**20), 0.05, 0)
    value = constant("v", (1,), 0.05, 0, np.random.default_rng(SEED))
    branch = Graph("branch", (x,), (y,), (BroadcastTo("y", (value,), (y,)),))
    with pytest.raises(UnsupportedError, match="makes constants of 20,971,520 bytes"):
        run_pipeline(one_branch("m", activation("given", (1,), 0.05, 0), branch))
