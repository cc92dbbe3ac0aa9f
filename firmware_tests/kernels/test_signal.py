"""The audio front end's operators: drawn frames, spectra and filter banks, as sequences."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    check_native,
    graph_of,
)
from firmware_tests.kernels.tensors import plain
from firmware_tests.models.random_signal import (
    EXACT,
    FLOAT,
    INT16,
    WAITING,
    Draw,
    drawn,
    energy,
    filter_bank,
    fixed,
)
from firmware_tests.models.writer import to_tflite
from tinygen import interpreters, reference
from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Array, Numerics
from tinygen.ops.base import Node
from tinygen.ops.signal_energy import SIGNAL_ENERGY
from tinygen.ops.signal_fft import SIGNAL_RFFT
from tinygen.ops.signal_filter_bank import SIGNAL_FILTER_BANK
from tinygen.vectors import draw_vectors

CASES = drawn(EXACT | WAITING | FLOAT, 2)


def test_every_row_gives_the_references_bytes() -> None:
    check_native(drawn(EXACT | WAITING | FLOAT, 6))


@pytest.mark.reference
@pytest.mark.parametrize("kind", EXACT | FLOAT)
def test_reference_is_tflite_micros(kind: str) -> None:
    assert_interpreter_agrees(drawn({kind: (EXACT | FLOAT)[kind]}, 12), Numerics.TFLM)


def both(
    kinds: dict[str, Draw],
) -> tuple[list[str], list[Array], list[Array]]:
    """The outputs' names, TFLite Micro's values of 12 invocations, and the reference's."""
    graph = graph_of(drawn(kinds, 8))
    vectors = draw_vectors(graph, 12, seed=0).inputs
    stacked = tuple(np.stack(column) for column in zip(*vectors, strict=True))
    theirs = interpreters.run_tflm(to_tflite(graph), stacked)
    mine = [np.stack(column) for column in zip(*reference.run_all(graph, vectors), strict=True)]
    return (
        [t.name for t in graph.outputs],
        [t.reshape(m.shape) for t, m in zip(theirs, mine, strict=True)],
        mine,
    )


@pytest.mark.reference
def test_reference_is_tflite_micros_where_the_output_is_valid() -> None:
    names, theirs, mine = both(WAITING)
    for index in range(0, len(names), 2):
        valid = mine[index + 1].reshape(-1)
        assert names[index + 1] == f"{names[index]}_valid"
        assert theirs[index + 1].reshape(-1).tolist() == valid.tolist()
        assert not valid.all()
        np.testing.assert_array_equal(theirs[index][valid], mine[index][valid])


def test_a_file_gives_the_operators_and_their_states() -> None:
    graph = graph_of(drawn(EXACT | WAITING | FLOAT, 1))
    read = read_model(to_tflite(graph), "cases.tflite", Numerics.TFLM)
    assert {(op.kind, str(op.attributes())) for op in read.ops} == {
        (op.kind, str(op.attributes())) for op in graph.ops
    }
    assert sorted(str(s.before) for s in read.states) == sorted(str(s.before) for s in graph.states)


NODE = Node("SignalEnergy", "e", (), (), Numerics.TFLM, 0, None)


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        ({}, "'end_index' is missing"),
        ({"end_index": -1}, "'end_index' is -1"),
        ({"end_index": 2, "start_index": 3}, "'start_index' is 3"),
        ({"end_index": 2.5}, "'end_index' is 2.5"),
    ],
)
def test_options_that_make_no_sense_are_named(custom: dict[str, float], message: str) -> None:
    op = energy(np.random.default_rng(0), "e")
    node = replace(NODE, inputs=op.inputs, outputs=op.outputs, custom=custom)
    with pytest.raises(ModelError, match=message):
        SIGNAL_ENERGY.parse(node)


def test_a_band_outside_of_the_spectrum_is_refused() -> None:
    op = filter_bank(np.random.default_rng(0), "bank")
    starts = fixed("starts", op.inputs[3].values + op.x.elements)
    inputs = (*op.inputs[:3], starts, *op.inputs[4:])
    count = {"num_channels": op.y.elements}
    node = replace(NODE, kind=op.kind, inputs=inputs, outputs=op.outputs, custom=count)
    with pytest.raises(ModelError, match="a band should lie in the spectrum"):
        SIGNAL_FILTER_BANK.parse(node)


def test_a_transform_of_a_length_with_other_factors_is_refused() -> None:
    x, y = plain("x", (14,), INT16), plain("y", (16,), INT16)
    node = replace(NODE, kind="SignalRfft", inputs=(x,), outputs=(y,), custom={"fft_length": 14})
    with pytest.raises(UnsupportedError, match="a product of 2, 3 and 5"):
        SIGNAL_RFFT.parse(node)
