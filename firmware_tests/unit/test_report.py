"""The report of `tinygen test` says how each figure came about."""

from dataclasses import replace

import pytest

from tinygen.report import LayerReport, TestReport
from tinygen.run.measured import Measured
from tinygen.timing.model import Cycles

REPORT = TestReport(
    model="net.tflite",
    sha256="ab" * 32,
    board="mps2-an385",
    core="cortex-m3",
    runner="qemu",
    framework="bare",
    numerics="tflm",
    optimize="speed",
    vectors=2,
    oracles=("the numpy reference",),
    mismatched_bytes=0,
    max_abs_diff=0.0,
    first_difference=None,
    macs=10,
    model_macs=10,
    counted_by="plugin",
    instructions=1000,
    estimated_cycles=Cycles(1100, 1200, 1300),
    measured=None,
    layers=(LayerReport("dense", "FULLY_CONNECTED", 10, 990, Cycles(1000, 1100, 1200)),),
    flash_bytes={"total": 30, "weights": 10, "code": 20, "limit": 100},
    ram_bytes={"total": 30, "arena": 10, "stack": 20, "limit": 100},
)


@pytest.mark.parametrize("method", ["plugin", "icount"])
def test_counted_instructions_name_their_method_with_and_without_cycles(method: str) -> None:
    counted = replace(REPORT, counted_by=method)
    without = replace(counted, estimated_cycles=None)
    assert f"instructions counted by {method}" in counted.to_text()
    assert f"not estimated; instructions counted by {method}" in without.to_text()


def test_nothing_is_said_of_counts_where_nothing_counts() -> None:
    native = replace(REPORT, counted_by=None, instructions=None, estimated_cycles=None)
    assert "counted" not in native.to_text()
    assert native.to_json()["instructions"] is None


def test_what_hardware_took_is_never_called_an_estimate() -> None:
    measured = Measured(64_000_000, 3, 6400, 6398, 6410, (6300,))
    layer = LayerReport("dense", "FULLY_CONNECTED", 10, None, None, 6300)
    text = replace(
        REPORT, counted_by=None, instructions=None, estimated_cycles=None, layers=(layer,),
        measured=measured,
    ).to_text()  # fmt: skip
    assert "0.100 ms: 6,400 ticks of the device timer at 64 MHz (6,398 to 6,410)" in text
    assert "6,300" in text and "est" not in text
