"""The whole main job as a user runs it: a .tflite file and a board name in, a verdict out."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tinygen import resources
from tinygen.board import Board
from tinygen.board.file import all_boards
from tinygen.cli import main
from tinygen.run import counting, plugin

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
DIGITS, VECTORS = EXAMPLE / "digits.tflite", EXAMPLE / "digits_vectors.npz"
BOARDS = [board for board in all_boards() if board.runner in ("native", "qemu")]

pytestmark = pytest.mark.emulated


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def report(*arguments: object, exit_code: int = 0) -> dict[str, Any]:
    result = run("test", DIGITS, *arguments, "--json")
    assert result.exit_code == exit_code, result.output
    value: dict[str, Any] = json.loads(result.stdout)
    return value


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.name)
def test_the_example_passes_on_every_board(board: Board) -> None:
    found = report("--board", board.name, "--vectors", VECTORS)
    assert found["mismatched_bytes"] == 0
    assert found["max_abs_diff"] == 0
    assert found["board"] == board.name
    assert found["vectors"] == len(np.load(VECTORS)["in0"])
    counted = board.runner == "qemu"
    assert (found["instructions"] is not None) == counted
    assert (found["estimated_cycles"] is not None) == bool(board.core.timing and counted)
    if counted:
        assert found["counted_by"] == "plugin"
        layers = [layer["instructions"] for layer in found["layers"]]
        assert 0 < sum(layers) <= found["instructions"]
        assert all(layers)
        assert found["flash_bytes"]["total"] >= (
            found["flash_bytes"]["weights"] + found["flash_bytes"]["code"]
        )
        assert found["ram_bytes"]["total"] >= (
            found["ram_bytes"]["arena"] + found["ram_bytes"]["stack"]
        )
    if found["estimated_cycles"] is not None:
        band = found["estimated_cycles"]
        assert band["low"] <= band["mid"] <= band["high"]


@pytest.mark.parametrize("board", ["qemu-rv32imc", "qemu-lx106"])
def test_a_core_without_a_timing_table_has_instructions_and_no_cycles(board: str) -> None:
    found = report("--board", board, "--count", 1, "--max-instructions", 10**9)
    assert found["instructions"] > found["macs"]
    assert found["estimated_cycles"] is None
    assert all(layer["estimated_cycles"] is None for layer in found["layers"])
    found = report("--board", board, "--count", 1, "--max-cycles", 10**9, exit_code=1)
    assert found["exceeded"] == ["estimated cycles not counted on this board"]


@pytest.mark.parametrize("numerics", ["tflm", "litert"])
@pytest.mark.parametrize("optimize", ["speed", "balanced", "size"])
@pytest.mark.parametrize("arena", ["static", "caller"])
def test_every_combination_of_options_gives_the_same_bytes(
    numerics: str, optimize: str, arena: str
) -> None:
    found = report(
        "--board",
        "mps2-an386",
        "--numerics",
        numerics,
        "--optimize",
        optimize,
        "--arena",
        arena,
        "--count",
        6,
    )
    assert found["mismatched_bytes"] == 0
    assert len(found["oracles"]) == 2, "the reference interpreters are part of the test set-up"


@pytest.mark.parametrize("board", ["microbit", "qemu-rv32imc", "qemu-lx106"])
def test_double_precision_in_software_gives_the_same_bytes(board: str) -> None:
    """LiteRT scales some layers in doubles, for which these cores have no instructions."""
    found = report("--board", board, "--numerics", "litert", "--count", 6)
    assert found["mismatched_bytes"] == 0
    assert "LiteRT" in found["oracles"]


def test_counts_repeat_from_run_to_run() -> None:
    first, second = (report("--board", "mps2-an386", "--count", 3) for _ in range(2))
    assert first["instructions"] == second["instructions"]
    assert first["layers"] == second["layers"]
    assert first["estimated_cycles"] == second["estimated_cycles"]


def test_a_wrong_expectation_fails_and_suspects_the_vectors(tmp_path: Path) -> None:
    golden = dict(np.load(VECTORS))
    golden["out0"] = golden["out0"].copy()
    golden["out0"][1, 0, 3] ^= 1
    golden.pop("tflm0", None)
    np.savez(tmp_path / "v.npz", **golden)
    found = report("--board", "mps2-an386", "--vectors", tmp_path / "v.npz", exit_code=1)
    assert not found["passed"]
    assert found["mismatched_bytes"] == 1
    assert found["max_abs_diff"] == 1
    assert found["first_difference"] is None


def test_a_kernel_that_regresses_is_named_by_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the generated pool take the minimum, and see that layer accused, not those after it."""
    honest = resources.kernel_source

    def broken(header: str) -> str:
        text = honest(header)
        if header == "tg_pool2d_s8.h":
            assert "tg_max(acc[i], tap[i])" in text
            text = text.replace("tg_max(acc[i], tap[i])", "tg_min(acc[i], tap[i])")
        return text

    monkeypatch.setattr("tinygen.emit.kernel_source", broken)
    found = report("--board", "mps2-an385", exit_code=1)
    assert found["mismatched_bytes"] > 0
    assert found["first_difference"]["op"] == "MAX_POOL_2D"
    accused = found["layers"][found["first_difference"]["layer"]]
    assert accused["op"] == "MAX_POOL_2D"
    assert accused["name"] == found["first_difference"]["name"]


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("--max-flash", "flash bytes"),
        ("--max-ram", "RAM bytes"),
        ("--max-instructions", "instructions"),
        ("--max-cycles", "estimated cycles"),
    ],
)
def test_a_budget_that_is_exceeded_fails_the_run(option: str, word: str) -> None:
    result = run("test", DIGITS, "--board", "mps2-an386", "--count", 1, option, 100)
    assert result.exit_code == 1
    assert word in result.stderr
    found = report("--board", "mps2-an386", "--count", 1, option, 100, exit_code=1)
    assert found["passed"]
    assert word in "; ".join(found["exceeded"])
    generous = run("test", DIGITS, "--board", "mps2-an386", "--count", 1, option, 10**9)
    assert generous.exit_code == 0


@pytest.mark.parametrize("board", ["mps2-an386", "qemu-rv32imc", "qemu-lx106"])
def test_counting_by_the_instruction_clock_agrees_and_tells_why(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = report("--board", board, "--count", 1)["instructions"]
    monkeypatch.setattr(plugin, "host_compiler", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = run("test", DIGITS, "--board", board, "--count", 1, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["counted_by"] == "icount"
    assert exact < found["instructions"] < 1.01 * exact  # reading the timer is in it
    assert "no C compiler" in result.stderr


def test_inferences_that_were_not_counted_are_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_less(*arguments: Any) -> counting.Counts:
        counts = counting.collect(*arguments)
        return replace(counts, inferences=counts.inferences - 1)

    monkeypatch.setattr("tinygen.run.session.collect", one_less)
    result = run("test", DIGITS, "--board", "mps2-an386", "--count", 2)
    assert result.exit_code == 1
    assert "1 inferences were counted, not the 2" in result.stderr


def test_a_run_leaves_what_the_user_added_to_the_project(tmp_path: Path) -> None:
    arguments = ("--board", "mps2-an386", "--count", 1, "--keep", tmp_path)
    report(*arguments)
    assert not {file.name for file in tmp_path.glob("*.txt")} - {"CMakeLists.txt"}
    mine = tmp_path / "counts.txt"
    mine.write_text("mine", encoding="ascii")
    report(*arguments)
    assert mine.read_text(encoding="ascii") == "mine"


def test_a_run_that_is_told_to_end_leaves_no_process_and_no_files(tmp_path: Path) -> None:
    programs, temporary, started = tmp_path / "bin", tmp_path / "tmp", tmp_path / "started"
    programs.mkdir()
    temporary.mkdir()
    emulator = programs / "qemu-system-arm"
    emulator.write_text(
        '#!/bin/sh\ncase "$*" in *"-machine none"*) exit 1;; esac\n'
        f"echo $$ > '{started}.new'\nmv '{started}.new' '{started}'\nexec sleep 600\n",
        encoding="utf-8",
    )
    emulator.chmod(0o755)
    places = {"PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "tinygen", "test", str(DIGITS), "--board", "mps2-an386"]
    with subprocess.Popen(
        command,
        env=os.environ | places | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not started.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text(encoding="ascii")), 0)
    assert not list(temporary.iterdir())


def test_bench_prints_one_line_per_model() -> None:
    result = run("bench", DIGITS, DIGITS, "--board", "mps2-an386", "--count", 1)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 8
    assert lines[2] == lines[3]
    assert "mps2-an386" in lines[2]
    # What the choice of kernels takes beside --optimize size.
    assert lines[5].startswith("model") and lines[6] == lines[7]
    assert re.search(r"speed +- +[+][0-9,]+ +[+-][0-9,]+$", lines[6])


def test_bench_prints_its_figures_in_proportion_to_a_baseline(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    figures = {"models": {"d": "digits"}, "instructions": {"cortex-m4 -O3": {"d": 10_000_000}}}
    baseline.write_text(json.dumps(figures), encoding="utf-8")
    arguments = ("bench", DIGITS, "--board", "mps2-an386", "--count", 1, "--baseline", baseline)
    lines = run(*arguments).stdout.splitlines()
    assert lines[6] == ""
    assert lines[8].startswith("digits  mps2-an386  cortex-m4 -O3  instructions  10,000,000")
    (report,) = json.loads(run(*arguments, "--json").stdout)
    assert report["ratios"][0]["ratio"] == round(report["instructions"] / 10_000_000, 4)


def test_generate_and_build_print_the_sizes_against_the_board(tmp_path: Path) -> None:
    project = tmp_path / "project"
    assert run("generate", DIGITS, "--board", "microbit", "-o", project).exit_code == 0
    result = run("build", project)
    assert result.exit_code == 0, result.output
    assert all(word in result.stdout for word in ("flash", "weights", "arena", "stack"))
    sizes = json.loads(run("build", project, "--json").stdout)
    assert sizes["flash"]["limit"] == 256 * 1024
    assert sizes["ram"]["limit"] == 16 * 1024
