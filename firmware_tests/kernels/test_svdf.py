"""SVDF: drawn shapes, ranks and quantizations, as sequences that begin with the state at rest."""

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.tensors import any_scale, any_zero_point, float32, quantized
from firmware_tests.models.writer import to_tflite
from tinygen.frontend.tflite import read_model
from tinygen.ir import DType, Numerics
from tinygen.ops.svdf import SVDF, Svdf
from tinygen.passes import run_pipeline


def drawn(index: int, *, bias: bool = True) -> Svdf:
    """Every third with a state of int8, whose zero point may be any."""
    rng = np.random.default_rng(index)
    batches = 1 + int(rng.integers(0, 3)) // 2
    features, units, rank, memory = (int(n) for n in rng.integers(1, (12, 6, 4, 9)))
    dtype, name = DType.INT16 if index % 3 else DType.INT8, f"svdf{index}"
    high = np.iinfo(dtype.numpy).max
    filters = units * rank
    zero = any_zero_point(rng) if dtype is DType.INT8 else 0
    x = quantized(f"{name}_x", (batches, features), any_scale(rng), any_zero_point(rng))
    weights = rng.integers(-128, 128, (filters, features), np.int8)
    feature = quantized(f"{name}_f", weights.shape, any_scale(rng, high=0.05), 0, weights)
    # Some answers saturate the state, most do not.
    spread = x.scale * feature.scale * 74.0**2 * features**0.5
    scale = float32(spread * float(rng.choice([0.5, 3, 20])) / high)
    state = quantized(f"{name}_s", (batches, filters * memory), scale, zero, dtype=dtype)
    over_time = rng.integers(-high - 1, high + 1, (filters, memory)).astype(dtype.numpy)
    time = quantized(f"{name}_t", over_time.shape, 1 / high, 0, over_time, dtype)
    y_scale = float32(spread * (rank * memory) ** 0.5 / float(rng.choice([40, 100, 300])))
    y = quantized(f"{name}_y", (batches, units), y_scale, any_zero_point(rng))
    after = quantized(f"{name}_s/after", state.shape, scale, zero, dtype=dtype)
    inputs = [x, state, feature, time]
    if bias:
        values = rng.integers(-(1 << 16), 1 << 16, units, np.int32)
        inputs.append(quantized(f"{name}_b", (units,), scale * time.scale, 0, values, DType.INT32))
    return Svdf(y.name, tuple(inputs), (y, after), rank)


CASES = (*(drawn(index) for index in range(6)), drawn(6, bias=False))
MORE = tuple(drawn(index) for index in range(7, 60))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *MORE[::2]))


@pytest.mark.reference
def test_reference_is_tflite_micros() -> None:
    assert_interpreter_agrees((*CASES[:6], *MORE), Numerics.TFLM)


@pytest.mark.reference
def test_reference_is_litert_s_where_it_has_a_kernel() -> None:
    wide = [op for op in (*CASES[:6], *MORE) if op.state.dtype is DType.INT16]
    assert_interpreter_agrees(wide, Numerics.LITERT)


@pytest.mark.parametrize("op", [CASES[0], CASES[6]], ids=["with bias", "without"])
def test_a_file_gives_the_operator_and_its_state(op: Svdf) -> None:
    graph = graph_of([op])
    read = read_model(to_tflite(graph), "cases.tflite", Numerics.TFLM)
    assert str(read) == str(graph)
    assert read.states[0].initial.tolist() == graph.states[0].initial.tolist()


def test_the_state_is_updated_in_place() -> None:
    assert [op.kind for op in run_pipeline(graph_of(CASES[:1])).ops] == ["SVDF"]


def test_multiplications_are_those_of_one_frame_and_of_the_state() -> None:
    op = CASES[1]
    (filters, features), memory = op.feature.shape, op.time.shape[1]
    assert SVDF.macs(op) == op.x.shape[0] * filters * (features + memory)
