"""Every generated platformio.ini: PlatformIO's own check, and what its platforms really offer."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_tests.models.residual import residual_program
from firmware_tests.platformio.catalogue import known_boards, platform_versions
from firmware_tests.platformio.conftest import Generate, pio
from firmware_tests.tiers import Prove
from tinygen.board import Board, Framework
from tinygen.board.file import all_boards, load_board
from tinygen.compile import Options
from tinygen.emit import ArenaKind
from tinygen.firmware.files import project_files
from tinygen.firmware.project import place_arena
from tinygen.firmware.target import Target, choose_target

TARGETS = [
    choose_target(board, framework.value)
    for board in all_boards()
    for framework in board.frameworks
    if board.platformio is not None
]


def name_of(target: Target) -> str:
    return f"{target.board.name}-{target.framework.value}"


# PlatformIO's check, for many files in one process.
LINT = """
import sys
from platformio.project.config import ProjectConfig
for path in sys.argv[1:]:
    found = ProjectConfig.lint(path)
    for problem in found["errors"] + found["warnings"]:
        print(path, problem)
"""


def ini_of(target: Target) -> str:
    program = residual_program(target.board, Options(arena=ArenaKind.CALLER))
    return project_files(place_arena(program, target), target)["platformio.ini"]


def section(text: str, name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read_string(text)
    assert parser["platformio"]["default_envs"] == name
    return parser[f"env:{name}"]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What PlatformIO has to say of each target's file; an empty text is nothing."""
    directory = tmp_path_factory.mktemp("inis")
    files = {name_of(target): directory / f"{name_of(target)}.ini" for target in TARGETS}
    for target in TARGETS:
        files[name_of(target)].write_text(ini_of(target))
    done = subprocess.run(
        [sys.executable, "-P", "-c", LINT, *map(str, files.values())],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return {t: "\n".join(n for n in lines if n.startswith(f"{f} ")) for t, f in files.items()}


@pytest.mark.parametrize("target", TARGETS, ids=name_of)
def test_an_ini_is_sound_and_names_what_the_platform_has(
    target: Target, complaints: dict[str, str], prove: Prove
) -> None:
    board = target.board
    assert board.platformio is not None
    assert complaints[name_of(target)] == ""
    options = section(ini_of(target), board.name)
    known = known_boards()[options["board"]]
    name, _, pin = options["platform"].partition(" @ ~")
    assert name == known.platform
    assert pin == platform_versions()[name]
    assert options["upload_protocol"] in known.protocols
    assert options["monitor_speed"] == str(board.serial.baud)
    assert options["test_framework"] == "custom"
    if target.framework is Framework.BARE:
        assert "framework" not in options
        assert options["board_build.ldscript"] == "linker.ld"
    else:
        assert options["framework"] in known.frameworks
    prove(board.name, "lint", target.framework.value)


@pytest.mark.parametrize("board", [b for b in all_boards() if b.platformio], ids=lambda b: b.name)
def test_a_board_file_agrees_with_platformios(board: Board) -> None:
    assert board.platformio is not None
    known = known_boards()[board.platformio.board]
    assert known.mcu in re.sub(r"[^a-z0-9]", "", board.mcu.lower())
    assert known.cpu in ("", board.core.name)
    assert board.flash_bytes is not None
    assert board.flash_bytes <= known.flash


def test_the_check_would_find_an_error(tmp_path: Path, generate: Generate, offline: Path) -> None:
    del offline
    directory = generate(choose_target(load_board("nucleo_f446re")), tmp_path / "p")
    assert "free from linting errors" in pio(directory, "project", "config", "--lint").stdout
    ini = directory / "platformio.ini"
    ini.write_text(ini.read_text().replace("upload_protocol =", "upload_protocl ="))
    found = pio(directory, "project", "config", "--lint").stdout
    assert "unknown configuration option `upload_protocl`" in found
