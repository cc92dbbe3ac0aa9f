"""What PlatformIO would fail on is found first, and said with its remedy."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from firmware_tests.models.residual import residual_program
from tinygen.board.file import load_board
from tinygen.build import platformio
from tinygen.build.image import BuildTool, build, default_tool
from tinygen.errors import BuildError, ToolError
from tinygen.firmware.manifest import ProjectError, project_board, read_manifest
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target

# Nothing listens on the port of the discard service: whoever asks the network is refused at once.
NOBODY = "http://127.0.0.1:9"

READY: dict[str, Any] = {
    "version": [6, 2, 0], "core_dir": "/home/me/.platformio", "writable": True, "missing": [],
    "here": [], "registry": "", "problem": "",
}  # fmt: skip


def project(directory: Path, name: str, framework: str | None = None) -> Path:
    board = load_board(name)
    program = residual_program(board)
    write_project(program, choose_target(board, framework), directory)
    return directory


@pytest.fixture
def without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PlatformIO with nothing installed and nobody to ask; gives its directory."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, NOBODY)
        monkeypatch.setenv(variable.lower(), NOBODY)
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "core"))
    return tmp_path / "core"


def test_a_platform_that_cannot_be_downloaded_is_named_at_once(
    tmp_path: Path, without_network: Path
) -> None:
    directory = project(tmp_path / "p", "esp32dev")
    with pytest.raises(ToolError, match=r"PlatformIO lacks espressif32 @ ~6\.13\.0") as error:
        build(directory)
    assert "its registry cannot be reached: " in error.value.message
    assert "try again with a network" in error.value.hint
    assert str(without_network) in error.value.hint


def test_another_version_that_is_here_is_told(tmp_path: Path, without_network: Path) -> None:
    old = without_network / "platforms" / "espressif32"
    old.mkdir(parents=True)
    (old / "platform.json").write_text('{"name": "espressif32", "version": "5.0.0"}')
    with pytest.raises(ToolError, match=r"lacks espressif32 @ .* \(here: espressif32 5\.0\.0"):
        build(project(tmp_path / "p", "esp32dev"))


@pytest.mark.parametrize("seconds", [-5, 5])
def test_settings_that_esp_idf_will_not_read_again_are_told(
    tmp_path: Path, without_network: Path, seconds: int
) -> None:
    directory = project(tmp_path / "p", "esp32cam", "espidf")
    old = directory / "sdkconfig.esp32cam"
    old.touch()
    moment = (directory / "sdkconfig.defaults").stat().st_mtime + seconds
    os.utime(old, (moment, moment))
    told: list[str] = []
    with pytest.raises(ToolError, match="PlatformIO lacks"):
        build(directory, progress=told.append)
    assert [text.startswith(f"{old} is older") for text in told] == [True] * (seconds < 0)


def test_a_file_in_the_place_of_its_directory_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "file"))
    with pytest.raises(ToolError, match=r"cannot be written to\n.*PLATFORMIO_CORE_DIR"):
        build(project(tmp_path / "p", "esp32dev"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"version": [6, 1, 11]}, r"PlatformIO 6\.1\.11 is too old\n.*pip install -U platformio"),
        ({"writable": False}, r"/home/me/\.platformio, which cannot be written to"),
        ({"problem": "Unknown board ID 'x'"}, "refuses the project: Unknown board ID 'x'"),
        (
            {"missing": ["ststm32 @ ~19.6.0"], "here": ["ststm32 17.0.0"], "registry": "refused"},
            r"lacks ststm32 @ ~19\.6\.0 \(here: ststm32 17\.0\.0\), .* reached: refused",
        ),
    ],
)
def test_each_finding_has_its_words(state: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolError, match=words):
        platformio.judge(Path("p"), READY | state, lambda text: None)


def test_a_download_that_is_possible_is_announced() -> None:
    told: list[str] = []
    platformio.judge(Path("p"), READY | {"missing": ["ststm32 @ ~19.6.0"]}, told.append)
    assert told == [
        "PlatformIO downloads ststm32 @ ~19.6.0 and what they need: minutes, the first time"
    ]


def test_a_project_that_platformio_cannot_read_is_told(tmp_path: Path) -> None:
    directory = project(tmp_path / "p", "esp32dev")
    (directory / "platformio.ini").write_text("no section\n")
    with pytest.raises(ToolError, match="PlatformIO cannot read the project: "):
        build(directory)


def test_platformio_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformio, "available", lambda: False)
    with pytest.raises(ToolError, match="PlatformIO is not installed\n  hint: pip install"):
        build(project(tmp_path / "p", "esp32dev"))


def test_a_board_that_platformio_does_not_know_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"PlatformIO does not know mps2-an386"):
        build(project(tmp_path / "p", "mps2-an386"), BuildTool.PIO)


def test_make_is_not_asked_for_a_vendors_framework(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="make cannot build for framework arduino"):
        build(project(tmp_path / "p", "nucleo_f446re", "arduino"), BuildTool.MAKE)


@pytest.mark.parametrize(
    ("name", "framework", "path", "tool"),
    [
        ("native", "host", None, BuildTool.MAKE),
        ("nucleo_f446re", "arduino", None, BuildTool.PIO),
        ("nucleo_f446re", "bare", None, BuildTool.MAKE),
        ("nucleo_f446re", "bare", "/nowhere", BuildTool.PIO),
        ("mps2-an386", "bare", "/nowhere", BuildTool.MAKE),
    ],
)
def test_the_tool_is_make_where_make_can(
    name: str, framework: str, path: str | None, tool: BuildTool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    directory = project(tmp_path / "p", name, framework)
    manifest = read_manifest(directory)
    if path:
        monkeypatch.setenv("PATH", path)
    assert default_tool(manifest, project_board(directory, manifest)) is tool


def test_platformio_sees_nothing_of_the_shell_but_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORMIO_BUILD_FLAGS", "-DMINE")
    monkeypatch.setenv("PLATFORMIO_SRC_DIR", "/elsewhere")
    monkeypatch.setenv("CFLAGS", "-O0")
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    seen = platformio.environment()
    assert not {"PLATFORMIO_BUILD_FLAGS", "PLATFORMIO_SRC_DIR", "CFLAGS"} & set(seen)
    assert seen["https_proxy"] == "http://proxy:1"
    assert seen["PLATFORMIO_SETTING_ENABLE_TELEMETRY"] == "No"


def test_telemetry_is_off_for_platformio_itself(without_network: Path) -> None:
    del without_network
    code = "from platformio import app; print(app.get_setting('enable_telemetry'))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=platformio.environment(), capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("HTTPClientError: \n", "registry cannot be reached.*\n.*try again with a network"),
        (
            "UnknownPackageError: Could not find the package with 'platformio/tool-x @ ~1' "
            "requirements for your system 'linux_x86_64'",
            "registry has no package platformio/tool-x @ ~1",
        ),
        ("Error: Unknown board ID 'nucleo_x'", "platform has no board 'nucleo_x'"),
        ("Error: This board doesn't support zephyr framework!", "no framework zephyr"),
    ],
)
def test_platformios_errors_are_explained(output: str, words: str) -> None:
    error = platformio.failure(output)
    assert isinstance(error, ToolError)
    with pytest.raises(ToolError, match=words):
        raise error


def test_what_is_not_known_is_shown_without_what_went_well() -> None:
    output = "Compiling a.o\n--------------------------------\nld: cannot find -lmine\nLinking b\n"
    error = platformio.failure(output)
    assert isinstance(error, BuildError)
    assert error.message == "PlatformIO could not build the firmware:\nld: cannot find -lmine"
