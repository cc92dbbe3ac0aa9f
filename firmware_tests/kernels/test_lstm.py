"""UNIDIRECTIONAL_SEQUENCE_LSTM: drawn shapes, orders and quantizations, as sequences."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tflite

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    check_native,
    graph_of,
)
from firmware_tests.kernels.tensors import any_scale, any_zero_point, float32, plain, quantized
from firmware_tests.models.edit import edited
from firmware_tests.models.writer import to_tflite
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import DType, Numerics, Tensor
from tinygen.ops.lstm import UnidirectionalSequenceLstm
from tinygen.ops.unidirectional_sequence_lstm import UNIDIRECTIONAL_SEQUENCE_LSTM
from tinygen.passes import run_pipeline


def sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Batches, steps, features and units."""
    batches, steps, features, units = (int(n) for n in rng.integers(1, (4, 6, 12, 9)))
    return max(1, batches - 1), steps, features, units


def drawn(
    index: int, dtype: DType = DType.INT8, numerics: Numerics = Numerics.TFLM
) -> UnidirectionalSequenceLstm:
    """Every other with time first, every third with a cell clip, every fifth saturating a lot."""
    rng = np.random.default_rng(index)
    batches, steps, features, units = sizes(rng)
    name = f"lstm_{dtype.value}_{numerics.value}_{index}"
    time_major = index % 2 == 0
    rows = (steps, batches) if time_major else (batches, steps)
    int8 = dtype is DType.INT8
    span = 127.0 if int8 else 32767.0
    x_zero, h_zero = (any_zero_point(rng) if int8 else 0 for _ in range(2))
    x = quantized(f"{name}_x", (*rows, features), any_scale(rng) * 127 / span, x_zero, dtype=dtype)
    # Hidden states that saturate, and those that leave room.
    h_scale = float32(float(rng.choice([0.7, 1.0, 2.0])) / span)
    power = (
        int(rng.integers(-15, -8)) if numerics is Numerics.LITERT else int(rng.integers(-15, -6))
    )
    odd = float(rng.uniform(0.8, 1.2)) if numerics is Numerics.TFLM and index % 4 == 3 else 1.0
    hidden = quantized(f"{name}_h", (batches, units), h_scale, h_zero, dtype=dtype)
    cell = quantized(f"{name}_c", (batches, units), 2.0**power * odd, 0, dtype=DType.INT16)
    y = quantized(f"{name}_y", (*rows, units), h_scale, h_zero, dtype=dtype)
    reach = 30.0 if index % 5 == 4 else 3.0

    def weights(kind: str, columns: int, other: Tensor) -> tuple[Tensor, ...]:
        scale = reach / (other.scale * span * 74.0 * columns**0.5)
        scales = scale * rng.uniform(0.5, 2.0, 4)
        values = rng.integers(-128, 128, (4, units, columns), np.int8)
        return tuple(
            quantized(f"{name}_{kind}{i}", (units, columns), float(s), 0, v)
            for i, (s, v) in enumerate(zip(scales, values, strict=True))
        )

    of_input, of_hidden = weights("w", features, x), weights("r", units, hidden)
    kept = DType.INT32 if int8 else DType.INT64
    biases = []
    for i, w in enumerate(of_input):
        spread = min(2.0 / (x.scale * w.scale), 2.0**30)
        values = rng.uniform(-spread, spread, units).astype(kept.numpy)
        scale = max(x.scale * w.scale, 1e-9)
        biases.append(quantized(f"{name}_b{i}", (units,), scale, 0, values, kept))
    inputs = (x, hidden, cell, *of_input, *of_hidden, *biases)
    after = (replace(t, name=f"{t.name}/after") for t in (hidden, cell))
    clip = float(rng.uniform(0.0, 2.0**power * 33000)) if index % 3 == 2 else 0.0
    outputs = (y, *after)
    return UnidirectionalSequenceLstm(y.name, inputs, outputs, time_major, float32(clip), numerics)


def drawn_float(index: int) -> UnidirectionalSequenceLstm:
    """Weights of a few thirds, as trained layers have them."""
    rng = np.random.default_rng(index)
    batches, steps, features, units = sizes(rng)
    name = f"lstm_float_{index}"
    time_major = index % 2 == 0
    rows = (steps, batches) if time_major else (batches, steps)
    states = tuple(plain(f"{name}_{s}", (batches, units), DType.FLOAT32) for s in "hc")

    def constants(kind: str, *shape: int) -> tuple[Tensor, ...]:
        values = rng.normal(0, 0.3, (4, *shape)).astype(np.float32)
        return tuple(
            replace(plain(f"{name}_{kind}{i}", shape, DType.FLOAT32), data=v)
            for i, v in enumerate(values)
        )

    inputs = (
        plain(f"{name}_x", (*rows, features), DType.FLOAT32),
        *states,
        *constants("w", units, features),
        *constants("r", units, units),
        *constants("b", units),
    )
    y = plain(f"{name}_y", (*rows, units), DType.FLOAT32)
    outputs = (y, *(replace(t, name=f"{t.name}/after") for t in states))
    clip = float32(rng.uniform(0.1, 1.0)) if index % 3 == 2 else 0.0
    return UnidirectionalSequenceLstm(y.name, inputs, outputs, time_major, clip)


KINDS = ((DType.INT8, Numerics.TFLM), (DType.INT8, Numerics.LITERT), (DType.INT16, Numerics.TFLM))
FLOATS = tuple(drawn_float(index) for index in range(6))
CASES = (*(drawn(index, *kind) for kind in KINDS for index in (0, 1, 3, 4)), *FLOATS[:3])


def more(dtype: DType, numerics: Numerics) -> tuple[UnidirectionalSequenceLstm, ...]:
    return tuple(drawn(index, dtype, numerics) for index in range(5, 45))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_row_gives_the_references_bytes(kind: tuple[DType, Numerics]) -> None:
    check_native((*(op for op in CASES if (op.x.dtype, op.numerics) == kind), *more(*kind)[::4]))


@pytest.mark.reference
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_reference_is_the_interpreters(kind: tuple[DType, Numerics]) -> None:
    cases = (*(op for op in CASES if (op.x.dtype, op.numerics) == kind), *more(*kind))
    assert_interpreter_agrees(cases, kind[1])


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_float_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(FLOATS, numerics)


def test_the_float_row_gives_the_references_values() -> None:
    check_native(FLOATS)


def test_a_file_gives_the_operator_and_its_states() -> None:
    for op in (CASES[0], CASES[5], FLOATS[1]):
        graph = graph_of([op])
        read = read_model(to_tflite(graph), "cases.tflite", op.numerics)
        assert str(read) == str(graph)
        assert [s.initial.tolist() for s in read.states] == [
            s.initial.tolist() for s in graph.states
        ]


def test_the_states_are_updated_in_place() -> None:
    graph = run_pipeline(graph_of(CASES[:1]))
    assert [op.kind for op in graph.ops] == ["UNIDIRECTIONAL_SEQUENCE_LSTM"]


def test_multiplications_are_those_of_four_gates() -> None:
    op = CASES[1]
    features = op.x.shape[2]
    frames = op.batches * op.steps
    assert UNIDIRECTIONAL_SEQUENCE_LSTM.macs(op) == frames * 4 * op.units * (features + op.units)


Change = Callable[[Any], None]


def inputs(numbers: dict[int, int]) -> Change:
    """A change of the operator's inputs, by their places; -1 leaves one out."""

    def change(model: Any) -> None:
        operator = model.subgraphs[0].operators[0]
        operator.inputs = [numbers.get(i, n) for i, n in enumerate(operator.inputs)]

    return change


def option(name: str, value: object) -> Change:
    """A change of one of the operator's options."""
    return lambda model: setattr(model.subgraphs[0].operators[0].builtinOptions, name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (inputs({9: 4}), "peephole weights"),
        (inputs({16: 4}), "a projection"),
        (inputs({20: 4}), "layer normalization"),
        (inputs({1: -1, 5: -1, 12: -1}), "CIFG"),
        (option("diagonalRecurrentTensors", True), "diagonal recurrent weights"),
        (option("fusedActivationFunction", tflite.ActivationFunctionType.RELU), "activation RELU"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_algorithm_is_refused_by_its_name(change: Change, message: str) -> None:
    model = edited(to_tflite(graph_of(CASES[:1])), change)
    with pytest.raises(UnsupportedError, match=message):
        read_model(model, "lstm.tflite", Numerics.TFLM)


def test_litert_is_refused_where_its_hidden_state_is_scaled_as_another_tensor() -> None:
    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.operators[0].intermediates[4]].quantization.scale = [0.5]

    model = edited(to_tflite(graph_of(CASES[4:5])), change)
    assert read_model(model, "lstm.tflite", Numerics.TFLM).ops
    with pytest.raises(UnsupportedError, match="LiteRT takes the one for the other"):
        read_model(model, "lstm.tflite", Numerics.LITERT)


def test_rules_name_what_is_wrong() -> None:
    op = CASES[0]
    wide = replace(op.cell, dtype=DType.INT32)
    uneven = replace(op.y, quant=op.x.quant)
    coarse = quantized("c", op.cell.shape, 8.0, 0, dtype=DType.INT16)
    kinds = {
        "cell state is int16": replace(op, inputs=(op.x, op.hidden, wide, *op.inputs[3:])),
        "quantized as the hidden state": replace(op, outputs=(uneven, *op.outputs[1:])),
        "is in the range": replace(op, inputs=(op.x, op.hidden, coarse, *op.inputs[3:])),
        "are constant": replace(op, inputs=(*op.inputs[:-1], replace(op.biases[3], data=None))),
    }
    for message, broken in kinds.items():
        (found,) = UNIDIRECTIONAL_SEQUENCE_LSTM.violations(broken)
        assert message in found
