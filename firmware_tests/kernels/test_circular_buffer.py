"""CIRCULAR_BUFFER, whose result is the variable tensor that it updates."""

import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.models.edit import edited
from firmware_tests.models.kept_samples import buffered
from firmware_tests.models.writer import to_tflite
from tinygen.errors import UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Numerics

CASES = tuple(op for slots in (2, 4, 5) for op in buffered(slots).ops[:1])


def test_the_kernel_gives_the_references_bytes() -> None:
    check_native(CASES)


@pytest.mark.reference
def test_reference_is_tflite_micros() -> None:
    for op in CASES:
        assert_interpreter_agrees([op], Numerics.TFLM)


def test_a_file_gives_the_operator_and_its_state() -> None:
    assert str(read_model(to_tflite(buffered()), "b.tflite", Numerics.TFLM)) == str(buffered())


@pytest.mark.parametrize(("slots", "message"), [(4, "one invocation in 2"), (1, "keeps nothing")])
def test_buffers_that_are_no_state_alone_are_refused(slots: int, message: str) -> None:
    def change(model: object) -> None:
        if slots > 1:
            model.subgraphs[0].operators[0].customOptions = None  # type: ignore[attr-defined]

    with pytest.raises(UnsupportedError, match=message):
        read_model(edited(to_tflite(buffered(slots)), change), "b.tflite", Numerics.TFLM)


def test_an_output_that_is_no_variable_is_refused() -> None:
    def change(model: object) -> None:
        for tensor in model.subgraphs[0].tensors:  # type: ignore[attr-defined]
            tensor.isVariable = False

    with pytest.raises(UnsupportedError, match="no variable tensor"):
        read_model(edited(to_tflite(buffered()), change), "b.tflite", Numerics.TFLM)
