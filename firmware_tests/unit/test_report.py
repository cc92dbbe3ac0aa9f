"""The report of `tinygen test` says how each figure came about."""

from dataclasses import replace

import pytest

from tinygen.report import LayerReport, TestReport
from tinygen.timing.model import Cycles

REPORT = TestReport(
    model="net.tflite",
    sha256="ab" * 32,
    board="mps2-an385",
    core="cortex-m3",
    runner="qemu",
    numerics="tflm",
    optimize="speed",
    vectors=2,
    oracles=("the numpy reference",),
    mismatched_bytes=0,
    max_abs_diff=0.0,
    first_difference=None,
    macs=10,
    counted_by="plugin",
    instructions=1000,
    estimated_cycles=Cycles(1100, 1200, 1300),
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
