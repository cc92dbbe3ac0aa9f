"""`tinygen tune`: measured once, chosen the same each time, and built without measuring."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tinygen.cli import main
from tinygen.tune.file import read_tuning

pytestmark = pytest.mark.emulated

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_a_choice_is_measured_once_and_builds_without_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    file = tmp_path / "digits.tuning.toml"
    tune = ("tune", DIGITS, "--board", "mps2-an386", "-o", file, "--json")
    first = run(*tune)
    assert first.exit_code == 0, first.output
    assert "rounds of kernels measured" in first.stderr
    report, text = json.loads(first.stdout), file.read_text(encoding="utf-8")
    assert report["measured"] > 20 and report["cached"] == 0
    assert report["cycles"] <= report["untuned_cycles"]
    kept = list((tmp_path / "xdg" / "tinygen" / "tuning").iterdir())
    assert len(kept) == report["measured"]

    # All is known now; what is lost is measured again, and comes out the same.
    second = json.loads(run(*tune).stdout)
    assert (second["measured"], second["cached"]) == (0, report["measured"])
    kept[0].unlink()
    assert json.loads(run(*tune).stdout)["measured"] == 1
    assert file.read_text(encoding="utf-8") == text

    # Another board of the core, and the cache by its name: the same choice.
    cache = tmp_path / "xdg" / "tinygen"
    other = run("tune", DIGITS, "--board", "nucleo_f446re", "-o", file, "--cache", cache)
    assert other.exit_code == 0 and "0 kernels measured on mps2-an386" in other.stdout
    assert file.read_text(encoding="utf-8") == text

    project = tmp_path / "project"
    generated = run("generate", DIGITS, "--board", "mps2-an386", "--tuning", file, "-o", project)
    assert generated.exit_code == 0, generated.output
    manifest = json.loads((project / "tinygen.json").read_text(encoding="utf-8"))
    tuning = read_tuning(file)
    assert [x["kernel"] for x in manifest["layers"]] == [x.kernel for x in tuning.layers]
    assert f"--tuning {tuning.digest}" in manifest["options"]

    result = run("test", DIGITS, "--board", "mps2-an386", "--tuning", file, "--count", 1, "--json")
    tested = json.loads(result.stdout)
    assert tested["passed"]
    assert tested["choice"]["taken"] == "speed: the kernels that digits.tuning.toml names"
    for layer, tuned in zip(tested["layers"], tuning.layers, strict=True):
        assert layer["kernel"] == tuned.kernel
        assert layer["estimated_cycles"]["mid"] == pytest.approx(tuned.cycles, rel=0.1)


def test_a_stale_file_is_one_error_before_anything_is_built(tmp_path: Path) -> None:
    file = tmp_path / "stale.toml"
    file.write_text("tuning_version = 0\n", encoding="utf-8")
    result = run("test", DIGITS, "--board", "mps2-an386", "--tuning", file)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {file} was written by another tinygen")
