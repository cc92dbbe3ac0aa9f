"""An interpreter that refuses a model, or aborts on it, is no oracle; it is never a crash."""

import numpy as np
import pytest

from firmware_tests.kernels.tensors import quantized
from firmware_tests.models.samples import residual
from firmware_tests.models.writer import to_tflite
from tinygen.errors import ToolError
from tinygen.interpreters import ask_reference, run_reference
from tinygen.ir import Activation, Graph, Numerics
from tinygen.model import Model
from tinygen.ops.concatenation import Concatenation
from tinygen.ops.softmax import Softmax
from tinygen.validate import expected_outputs
from tinygen.vectors import draw_vectors

pytestmark = pytest.mark.reference


def many_classes() -> Graph:
    """A softmax whose rows of equal elements the reference kernels were not made for."""
    x, y = quantized("x", (1, 1000), 0.05, 0), quantized("y", (1, 1000), 1 / 256, -128)
    return Graph("many_classes", (x,), (y,), (Softmax("y", (x,), (y,), 1.0),))


def many_inputs() -> Graph:
    """More operands than TFLite Micro joins."""
    parts = tuple(quantized(f"x{i}", (1, 2), 0.05, 0) for i in range(14))
    y = quantized("y", (1, 28), 0.05, 0)
    return Graph("many", parts, (y,), (Concatenation("y", parts, (y,), 1, Activation.NONE),))


@pytest.mark.parametrize("numerics", Numerics)
def test_another_process_gives_the_same_answer(numerics: Numerics) -> None:
    graph = residual()
    drawn = draw_vectors(graph, 6, seed=1).inputs
    stacked = [np.stack(column) for column in zip(*drawn, strict=True)]
    asked = ask_reference(to_tflite(graph), stacked, numerics)
    own = run_reference(to_tflite(graph), stacked, numerics)
    assert [a.tobytes() for a in asked] == [a.tobytes() for a in own]


@pytest.mark.parametrize(
    ("graph", "reason"), [(many_classes(), "SIGABRT"), (many_inputs(), "failed to allocate")]
)
def test_what_an_interpreter_cannot_run_is_told_and_left_out(graph: Graph, reason: str) -> None:
    data, told = to_tflite(graph), list[str]()
    vectors = draw_vectors(graph, 1, seed=0)
    model = Model("m.tflite", data, graph)
    oracles = expected_outputs(model, vectors, Numerics.TFLM, told.append)
    assert list(oracles) == ["the numpy reference"]
    assert [reason in line and "not compared with TFLite Micro" in line for line in told] == [True]
    stacked = [np.stack(column) for column in zip(*vectors.inputs, strict=True)]
    with pytest.raises(ToolError, match=reason):
        ask_reference(data, stacked, Numerics.TFLM)
