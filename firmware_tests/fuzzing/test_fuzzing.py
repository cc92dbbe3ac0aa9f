"""The fuzzer on a sample of its mutants, and what it says of a tinygen that has bugs.

For more of them: ``python -m firmware_tests.fuzzing --minutes 10``.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from firmware_tests.fuzzing import campaign as campaigns
from firmware_tests.fuzzing.campaign import batches, campaign
from firmware_tests.fuzzing.limits import OutOfTime, bounded
from firmware_tests.fuzzing.mutants import mutant
from firmware_tests.fuzzing.originals import originals
from firmware_tests.fuzzing.trial import FindingError, accepts, choice_of
from firmware_tests.models.samples import conv2d
from firmware_tests.models.writer import to_tflite
from tinygen import inspect

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", [2026, 2027])
def test_damaged_models_end_in_sound_c_or_in_one_error(seed: int, tmp_path: Path) -> None:
    """In a process of its own: the limit of memory is not for what pytest has loaded.

    The interpreters are asked at night: what they do with a lie is for a person to judge.
    """
    arguments = ["--seed", str(seed), "--count", "140", "--jobs", "1", "--failures", str(tmp_path)]
    arguments += ["--no-corpus", "--no-ask"]
    done = subprocess.run(
        [sys.executable, "-m", "firmware_tests.fuzzing", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"seed {seed}: 140 mutants tried: " in done.stdout
    assert ", 0 failed" in done.stdout


def test_a_seed_and_a_number_always_give_the_same_file() -> None:
    of = originals(corpus=False)
    first, second = ([mutant(7, n, of).data for n in range(30)] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("error", [ValueError("a bug"), OverflowError("another"), MemoryError()])
def test_an_error_that_is_not_tinygens_is_a_finding(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(inspect, "inspect_file", broken)
    monkeypatch.setattr("firmware_tests.fuzzing.limits.BYTES", 1 << 40)
    with pytest.raises(FindingError, match="inspect"):
        accepts(to_tflite(conv2d()), choice_of(0))


def test_a_file_that_is_left_behind_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def litter(program: object, target: object, directory: Path) -> None:
        (directory.parent / "half").touch()

    monkeypatch.setattr("tinygen.firmware.project.write_project", litter)
    monkeypatch.setattr("firmware_tests.fuzzing.limits.BYTES", 1 << 40)
    with pytest.raises(FindingError, match="leaves"):
        accepts(to_tflite(conv2d()), choice_of(0))


def test_work_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_tests.fuzzing.limits.BYTES", 1 << 40)
    monkeypatch.setattr("firmware_tests.fuzzing.limits.SECONDS", 0.2)
    start = time.process_time()
    with pytest.raises(OutOfTime), bounded():
        while True:
            pass
    assert time.process_time() - start < 5


def test_a_mutant_that_kills_the_process_is_reported_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    of = originals(corpus=False)[:3]
    deadly = {mutant(1, number, of).data for number in (3, 8)}

    def dying(data: bytes, choice: object) -> bool:
        if data in deadly:
            os._exit(9)
        return False

    monkeypatch.setattr(campaigns, "accepts", dying)
    told: list[str] = []
    tally = campaign(1, batches(12), 60.0, 2, of, told.append)
    assert sorted(failure.mutant.number for failure in tally.failures) == [3, 8]
    assert len(told) == 2
    file = tally.failures[0].write(tmp_path / "kept", 1)
    assert file.read_bytes() in deadly
    assert "exit code 9" in file.with_suffix(".txt").read_text()
