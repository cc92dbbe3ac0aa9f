"""A model and a file of hostile names, built and run."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from firmware_tests.models.hostile import hostile
from firmware_tests.models.writer import to_tflite
from tinygen.cli import main

NAME = "*'\"; $(touch evil) `touch evil` %n {{ 7 }} \u202e\n#].tflite"


@pytest.mark.parametrize(
    "board", ["native", pytest.param("mps2-an385", marks=pytest.mark.emulated)]
)
def test_a_project_of_hostile_names_builds_and_runs(board: str, tmp_path: Path) -> None:
    model = tmp_path / NAME
    model.write_bytes(to_tflite(hostile()))
    kept = tmp_path / "kept"
    result = CliRunner().invoke(
        main, ["test", str(model), "--board", board, "--count", "3", "--keep", str(kept)]
    )
    assert result.exit_code == 0, result.output
    assert not [p for p in tmp_path.rglob("*") if p.name == "evil"]
    assert {p.name for p in tmp_path.iterdir()} == {NAME, "kept"}
