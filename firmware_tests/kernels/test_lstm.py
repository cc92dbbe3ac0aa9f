"""UNIDIRECTIONAL_SEQUENCE_LSTM: drawn shapes, orders and quantizations, as sequences."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import tflite

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.tensors import quantized
from firmware_tests.models.edit import edited
from firmware_tests.models.random_lstm import float_lstm, integer_lstm
from firmware_tests.models.writer import to_tflite
from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import DType, Numerics
from tinygen.ops.lstm import UnidirectionalSequenceLstm
from tinygen.ops.unidirectional_sequence_lstm import UNIDIRECTIONAL_SEQUENCE_LSTM
from tinygen.passes import run_pipeline

KINDS = ((DType.INT8, Numerics.TFLM), (DType.INT8, Numerics.LITERT), (DType.INT16, Numerics.TFLM))
FLOATS = tuple(float_lstm(index) for index in range(6))
CASES = (
    *(integer_lstm(index, *kind) for kind in KINDS for index in (0, 1, 3)),
    *FLOATS[1:3],
)


def cases(dtype: DType, numerics: Numerics, count: int) -> tuple[UnidirectionalSequenceLstm, ...]:
    return tuple(integer_lstm(index, dtype, numerics) for index in range(count))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_row_gives_the_references_bytes(kind: tuple[DType, Numerics]) -> None:
    check_native(cases(*kind, 12))


def test_the_float_row_gives_the_references_values() -> None:
    check_native(FLOATS)


@pytest.mark.reference
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_reference_is_the_interpreters(kind: tuple[DType, Numerics]) -> None:
    assert_interpreter_agrees(cases(*kind, 45), kind[1])


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_float_is_both_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(FLOATS, numerics)


def test_a_file_gives_the_operator_and_its_states() -> None:
    for op in (CASES[0], CASES[4], FLOATS[1]):
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


@pytest.mark.parametrize("op", [CASES[0], FLOATS[0]], ids=lambda op: op.x.dtype.value)
def test_a_clip_that_is_no_number_is_a_broken_model(op: UnidirectionalSequenceLstm) -> None:
    model = edited(to_tflite(graph_of([op])), option("cellClip", float("nan")))
    with pytest.raises(ModelError, match="cell clip is nan"):
        read_model(model, "lstm.tflite", Numerics.TFLM)


def test_litert_is_refused_where_its_hidden_state_is_scaled_as_another_tensor() -> None:
    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.operators[0].intermediates[4]].quantization.scale = [0.5]

    model = edited(to_tflite(graph_of(CASES[3:4])), change)
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
