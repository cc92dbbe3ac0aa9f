"""float32 results agree within what is stated, and everything else to the bit."""

from pathlib import Path

import numpy as np
import pytest

from firmware_tests.kernels.harness import graph_of
from firmware_tests.kernels.test_float32 import FLOAT
from firmware_tests.kernels.test_hybrid import HYBRID
from firmware_tests.models import samples
from firmware_tests.models.writer import to_tflite
from tinygen.agreement import compare, model_tolerance
from tinygen.inspect import inspect_file
from tinygen.ir import Array, Numerics
from tinygen.ops import definition_of
from tinygen.ops.tolerance import (
    CURVE,
    EXACT,
    FLOAT_MODEL,
    HYBRID_MODEL,
    SUM,
    Tolerance,
    deviating,
)


def floats(*values: float) -> Array:
    return np.array(values, np.float32)


def test_units_in_the_last_place_are_those_of_the_value() -> None:
    want = floats(1.0, 1024.0, 0.0)
    near = floats(1.0 + 4 * 2.0**-23, 1024.0 - 4 * 2.0**-13, 0.0)
    assert not deviating(near, want, CURVE).any()
    far = floats(1.0 + 5 * 2.0**-23, 1024.0 + 5 * 2.0**-13, 1e-30)
    assert deviating(far, want, CURVE).all()


def test_sums_may_be_off_by_a_fraction_of_the_largest() -> None:
    want = floats(100.0, 0.0, -50.0)
    got = want + np.float32(0.09)
    assert not deviating(got, want, Tolerance(of_largest=1e-3)).any()
    assert deviating(got, want, Tolerance(of_largest=1e-4)).all()


def test_infinities_must_be_the_same_and_leave_the_others_their_tolerance() -> None:
    want = floats(np.inf, -np.inf, np.nan, 1.0)
    loose = Tolerance(of_largest=0.5)
    assert not deviating(want, want, loose).any()
    other = floats(-np.inf, 1e30, 0.0, np.inf)
    assert deviating(other, want, loose).all()


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.bool_])
def test_integers_are_exact_whatever_is_stated(dtype: type) -> None:
    want: Array = np.array([0, 1], dtype)
    assert deviating(want[::-1], want, Tolerance(of_largest=1.0)).all()


def test_a_model_is_as_exact_as_its_least_exact_operator() -> None:
    weights = definition_of(HYBRID["fully_connected"][0])
    assert weights.tolerance == SUM
    assert model_tolerance(graph_of(FLOAT["pool"][:3])) == FLOAT_MODEL
    mixed = graph_of((*HYBRID["convolution"][:1], *FLOAT["pool"][:1]))
    assert model_tolerance(mixed) == HYBRID_MODEL
    maxima = [op for op in FLOAT["pool"] if op.kind == "MAX_POOL_2D"]
    assert model_tolerance(graph_of(maxima)) == EXACT
    assert model_tolerance(samples.residual()) == EXACT


def test_inspect_says_how_exact_a_model_is(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(to_tflite(graph_of(HYBRID["fully_connected"][:2])))
    text = inspect_file(path, Numerics.TFLM).to_text()
    assert "may differ by 0.015625 of the largest value" in text
    assert "2 of the operators quantize their float32 input" in text
    path.write_bytes(to_tflite(samples.residual()))
    assert "float32" not in inspect_file(path, Numerics.TFLM).to_text()


def test_exact_tells_zeros_apart_and_a_tolerance_does_not() -> None:
    assert deviating(floats(-0.0), floats(0.0), EXACT).all()
    assert not deviating(floats(-0.0), floats(0.0), CURVE).any()


def test_a_comparison_counts_what_is_within_and_names_the_first_vector_beyond() -> None:
    want = [(floats(1.0, 2.0),), (floats(1.0, 2.0),)]
    got = [(floats(1.0001, 2.0),), (floats(1.0, 2.5),)]
    found = compare(got, want, Tolerance(of_largest=1e-2))
    assert (found.within, found.first, found.largest) == (1, 1, 0.5)
    assert found.mismatched_bytes == 1
    assert compare(want, want, EXACT).first is None
