"""A file of baselines: which of its rows a report is compared with, and what is wrong with one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firmware_tests.unit.test_report import REPORT
from tinygen.baseline import BaselineError, Baselines, ratio_lines, read_baselines

VALUES: dict[str, Any] = {
    "what": "a word to people",
    "models": {"n": "net", "o": "other"},
    "instructions": {
        "cortex-m3 -O3": {"n": 4000, "o": 10},
        "cortex-m3 -O2": {"n": 2000},
        "cortex-m4 -O3": {"n": 1},
    },
    "published_cycles_nucleo_l4r5zi": {"slow": {"n": 4800.0}, "quick": {"n": 2400.0}},
}


def baselines(directory: Path, values: Any = VALUES) -> Baselines:
    file = directory / "baselines.json"
    text = values if isinstance(values, str) else json.dumps(values)
    file.write_text(text, encoding="utf-8")
    return read_baselines(file)


def test_a_report_is_compared_with_every_row_of_its_core_and_model(tmp_path: Path) -> None:
    found = baselines(tmp_path).ratios(REPORT)
    assert [(r.baseline, r.ratio, r.best) for r in found] == [
        ("cortex-m3 -O3", 0.25, False),
        ("cortex-m3 -O2", 0.5, True),
    ]


def test_of_published_cycles_only_the_best_counts_and_only_for_its_board_s_core(
    tmp_path: Path,
) -> None:
    found = baselines(tmp_path).ratios(replace(REPORT, core="cortex-m4"))
    assert [(r.baseline, r.unit, r.theirs, r.ratio) for r in found] == [
        ("cortex-m4 -O3", "instructions", 1, 1000.0),
        ("quick", "cycles", 2400, 0.5),
    ]


def test_nothing_is_compared_that_was_not_counted_or_is_of_another_model(tmp_path: Path) -> None:
    rows = baselines(tmp_path)
    uncounted = replace(REPORT, instructions=None, estimated_cycles=None)
    unknown = replace(REPORT, model="unknown.tflite")
    for report in (uncounted, unknown, replace(REPORT, core="cortex-m33")):
        assert rows.ratios(report) == ()
    assert "no baseline" in ratio_lines([unknown], rows)[0]


def test_the_table_says_against_what_and_which_is_best(tmp_path: Path) -> None:
    lines = ratio_lines([REPORT], baselines(tmp_path))
    assert lines[1].split() == [
        "net", "mps2-an385", "cortex-m3", "-O3", "instructions", "4,000", "1,000", "0.25",
    ]  # fmt: skip
    assert lines[2].endswith("0.50  best")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("{", "is not JSON"),
        ([], "the file is not an object"),
        ({}, "'models' is not an object"),
        ({"models": {"n": 1}}, "no file name for 'n'"),
        ({"models": {}}, "it has no 'instructions'"),
        (VALUES | {"instructions": {"cortex-m4": 3}}, "'cortex-m4' is not an object"),
        (VALUES | {"instructions": {"cortex-m4": {"x": 3}}}, "has 'x', which 'models' does not"),
        (VALUES | {"instructions": {"cortex-m4": {"n": "3"}}}, "has '3' for 'n'"),
        (VALUES | {"instructions": {"cortex-m4": {"n": True}}}, "has True for 'n'"),
        (VALUES | {"instructions": {"cortex-m4": {"n": 0}}}, "has 0 for 'n'"),
        (VALUES | {"instructions": {"cortex-m4": {"n": float("inf")}}}, "has inf for 'n'"),
        (VALUES | {"published_cycles_toaster": {}}, "unknown board 'toaster'"),
    ],
)
def test_a_malformed_file_is_one_error_that_says_what_is_wrong(
    values: Any, words: str, tmp_path: Path
) -> None:
    with pytest.raises(BaselineError, match=r"baselines\.json") as error:
        baselines(tmp_path, values)
    assert words in error.value.message
    assert "docs/counting.md" in error.value.hint


def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot read"):
        read_baselines(tmp_path)
