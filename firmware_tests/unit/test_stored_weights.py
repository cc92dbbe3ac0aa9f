"""Weights that a file stores in short, for DEQUANTIZE to restore, cost nothing at run time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    compile_cases,
    expected,
    run_native,
)
from firmware_tests.kernels.tensors import plain
from firmware_tests.models.edit import edited, schema
from firmware_tests.models.writer import to_tflite
from tinygen import reference
from tinygen.compile import Options
from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.interpreters import run_litert_ref
from tinygen.ir import Activation, DType, Graph, Numerics, QuantParams, Tensor
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.dequantize import Dequantize
from tinygen.ops.window import Window
from tinygen.passes import run_pipeline
from tinygen.select import best
from tinygen.vectors import draw_vectors

RNG = np.random.default_rng(4)
SHAPE = (5, 3, 3, 2)
PER_CHANNEL = QuantParams((0.01, 0.02, 0.03, 0.04, 0.05), (0,) * 5, 0)
ONE_SCALE = QuantParams((0.03125,), (7,))


def model(quant: QuantParams) -> Graph:
    """A convolution whose weights are int8 in the file."""
    data = RNG.integers(-127, 128, SHAPE).astype(np.int8)
    stored = Tensor("stored", SHAPE, DType.INT8, quant, data)
    restored = plain("restored", SHAPE, DType.FLOAT32)
    bias = replace(plain("bias", (5,), DType.FLOAT32), data=np.arange(5, dtype=np.float32))
    x = plain("x", (1, 6, 6, 2), DType.FLOAT32)
    y = plain("y", (1, 4, 4, 5), DType.FLOAT32)
    window = Window((3, 3), (1, 1), (1, 1), (0, 0))
    ops = (
        Dequantize("restored", (stored,), (restored,)),
        Conv2D("y", (x, restored, bias), (y,), window, Activation.RELU),
    )
    return Graph("stored", (x,), (y,), ops)


def short(tree: Any) -> None:
    """Store the weights in float16."""
    stored = next(t for t in tree.subgraphs[0].tensors if t.name == b"stored")
    buffer = tree.buffers[stored.buffer]
    values = np.array(buffer.data, np.uint8).view(np.int8).astype(np.float16) / 64
    buffer.data = values.view(np.uint8)
    stored.type, stored.quantization = schema().TensorType.FLOAT16, None


FILES = {
    "per_channel": lambda: to_tflite(model(PER_CHANNEL)),
    "one_scale": lambda: to_tflite(model(ONE_SCALE)),
    "float16": lambda: edited(to_tflite(model(ONE_SCALE)), short),
}


@pytest.mark.parametrize("file", FILES)
def test_the_weights_are_restored_when_compiling(file: str) -> None:
    graph = read_model(FILES[file](), "stored.tflite", Numerics.LITERT)
    assert [op.kind for op in run_pipeline(graph).ops] == ["CONV_2D"]
    inputs = draw_vectors(graph, 5, 1).inputs
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    assert_equal(program.graph, inputs, run_native(program, inputs), expected(graph, inputs))


@pytest.mark.reference
@pytest.mark.parametrize("file", FILES)
def test_the_results_are_those_of_litert(file: str) -> None:
    data = FILES[file]()
    graph = read_model(data, "stored.tflite", Numerics.LITERT)
    inputs = draw_vectors(graph, 5, 1).inputs
    (theirs,) = run_litert_ref(data, [np.stack([vector[0] for vector in inputs])])
    mine = np.stack([outputs[0] for outputs in reference.run_all(graph, inputs)])
    assert np.array_equal(mine, theirs)


def test_float16_is_refused_where_it_is_no_stored_constant() -> None:
    def emptied(tree: Any) -> None:
        short(tree)
        stored = next(t for t in tree.subgraphs[0].tensors if t.name == b"stored")
        stored.buffer = 0

    def direct(tree: Any) -> None:
        short(tree)
        main = tree.subgraphs[0]
        names = [t.name for t in main.tensors]
        x, _, bias = main.operators[1].inputs
        main.operators[1].inputs = [x, names.index(b"stored"), bias]

    def cut(tree: Any) -> None:
        short(tree)
        buffer = next(b for b in tree.buffers if b.data is not None and len(b.data) == 180)
        buffer.data = buffer.data[:-1]

    data = to_tflite(model(ONE_SCALE))
    for change, words in ((emptied, "elements of type float16"), (direct, "Only DEQUANTIZE")):
        with pytest.raises((UnsupportedError, ModelError), match=words):
            read_model(edited(data, change), "m.tflite", Numerics.TFLM)
    with pytest.raises(ModelError, match="float16 needs 180"):
        read_model(edited(data, cut), "m.tflite", Numerics.TFLM)
