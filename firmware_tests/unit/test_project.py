"""Generated projects: the same text each time, whole or not at all, never over others' files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_tests.models.residual import residual_program
from tinygen.board.file import all_boards, load_board
from tinygen.compile import Options
from tinygen.emit import ArenaKind, Program
from tinygen.errors import UnsupportedError
from tinygen.firmware.files import project_files
from tinygen.firmware.manifest import MANIFEST, ProjectError, read_manifest
from tinygen.firmware.project import write_project
from tinygen.firmware.target import Target, choose_target
from tinygen.instances import Optimize

BOARD = load_board("microbit")


def program(options: Options | None = None) -> Program:
    return residual_program(BOARD, options)


def contents(directory: Path) -> dict[str, bytes]:
    files = (f for f in directory.rglob("*") if f.is_file())
    return {str(f.relative_to(directory)): f.read_bytes() for f in files}


TARGETS = [choose_target(b, f.value) for b in all_boards() for f in b.frameworks]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: f"{t.board.name}-{t.framework.value}")
def test_every_board_gets_the_same_text_twice(target: Target) -> None:
    files = project_files(program(), target)
    assert files == project_files(program(), target)
    assert ("linker.ld" in files) == ("bare/timer.h" in files) == target.board.bare
    assert ("platformio.ini" in files) == (target.board.platformio is not None)
    assert ("Makefile" in files) == (target.board.bare or target.board.hosted)


@pytest.mark.parametrize("arena", ArenaKind)
@pytest.mark.parametrize("optimize", Optimize)
def test_every_option_gives_the_same_text_twice(arena: ArenaKind, optimize: Optimize) -> None:
    options = Options(arena=arena, optimize=optimize)
    target = choose_target(BOARD)
    assert project_files(program(options), target) == project_files(program(options), target)


def test_two_projects_are_equal_byte_for_byte(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_project(program(), choose_target(BOARD), tmp_path / "deep" / name)
    assert contents(tmp_path / "deep" / "a") == contents(tmp_path / "deep" / "b")
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["a", "b"]


def test_the_manifest_lists_what_was_written(tmp_path: Path) -> None:
    write_project(program(), choose_target(BOARD), tmp_path / "p")
    manifest = read_manifest(tmp_path / "p")
    assert set(manifest.files) == set(contents(tmp_path / "p"))
    assert (manifest.name, manifest.board) == ("residual", "microbit")
    assert [layer["op"] for layer in manifest.layers] == ["CONV_2D", "ADD"]
    code = (tmp_path / "p" / "lib" / "residual" / "residual.c").read_text()
    assert all(f"void {layer['function']}(" in code for layer in manifest.layers)
    assert "residual_00_conv_weights" in manifest.constants


def test_an_empty_directory_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    write_project(program(), choose_target(BOARD), tmp_path / "p")
    assert read_manifest(tmp_path / "p").board == "microbit"


def test_generating_again_replaces_its_own_files_and_keeps_the_users(tmp_path: Path) -> None:
    directory = tmp_path / "p"
    write_project(program(), choose_target(BOARD), directory)
    (directory / "src" / "product.c").write_text("/* mine */\n")
    before = (directory / "src" / "device" / "frame.c").stat().st_mtime_ns
    write_project(program(Options(name="other")), choose_target(load_board("native")), directory)
    assert (directory / "src" / "product.c").read_text() == "/* mine */\n"
    assert not (directory / "lib" / "residual" / "residual.c").exists()
    assert not (directory / "linker.ld").exists()
    assert (directory / "src" / "device" / "frame.c").stat().st_mtime_ns == before
    assert read_manifest(directory).name == "other"


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ProjectError, match="is not a tinygen project"):
        write_project(program(), choose_target(BOARD), tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("")
    with pytest.raises(ProjectError, match="is not a directory"):
        write_project(program(), choose_target(BOARD), tmp_path / "p")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": ["../../thesis.txt"]}, "outside of the project"),
        ({"files": ["/etc/passwd"]}, "outside of the project"),
        ({"image": "../firmware.elf"}, "outside of the project"),
        ({"files": 7}, "is damaged"),
        ({"manifest_version": 99}, "another tinygen"),
    ],
)
def test_a_tampered_manifest_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    write_project(program(), choose_target(BOARD), tmp_path / "p")
    file = tmp_path / "p" / MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    before = contents(tmp_path)
    with pytest.raises(ProjectError, match=message):
        write_project(program(), choose_target(BOARD), tmp_path / "p")
    assert contents(tmp_path) == before


def test_nothing_is_written_when_rendering_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(template: str, context: object) -> str:
        raise RuntimeError("a bug in a template")

    monkeypatch.setattr("tinygen.firmware.files.render", broken)
    with pytest.raises(RuntimeError):
        write_project(program(), choose_target(BOARD), tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_the_firmwares_own_name_is_not_a_models() -> None:
    with pytest.raises(UnsupportedError, match="cannot be called 'firmware'"):
        project_files(replace(program(), name="firmware"), choose_target(BOARD))


def test_texts_of_the_model_file_stay_text(tmp_path: Path) -> None:
    hostile = program()
    origin = replace(hostile.provenance, model_file="*/ int x; /*\n`rm`$(touch x)")
    files = project_files(replace(hostile, provenance=origin), choose_target(BOARD))
    assert "touch" not in files["Makefile"]
    assert all(
        "*/ int x" not in text for name, text in files.items() if name.endswith((".c", ".h"))
    )
