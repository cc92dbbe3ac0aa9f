"""PlatformIO as the tests run it: with stand-in packages, and without a network."""

import select
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware_tests.models.residual import residual_program
from firmware_tests.platformio.standins import make_core_dir
from tinygen.build import platformio
from tinygen.firmware.project import write_project
from tinygen.firmware.target import Target

Generate = Callable[[Target, Path], Path]


@pytest.fixture(scope="session")
def core_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PlatformIO's directory with stand-in packages; a session makes it once."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    from platformio.dependencies import get_core_dependencies

    scons: str = get_core_dependencies()["tool-scons"]
    return make_core_dir(tmp_path_factory.mktemp("platformio"), scons.lstrip("~^="))


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty PlatformIO directory of its own; whoever asks the network fails the test."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        nobody = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, nobody)
            monkeypatch.setenv(variable.lower(), nobody)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        (tmp_path / "home").mkdir()
        core = tmp_path / "core"
        monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(core))
        yield core
        assert not select.select([proxy], [], [], 0)[0], "PlatformIO has asked the network"


@pytest.fixture
def stand_ins(offline: Path, core_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As ``offline``, with the stand-in packages."""
    del offline
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(core_dir))
    return core_dir


@pytest.fixture(scope="session")
def generate() -> Generate:
    """Write the project of a small model for a target."""

    def write(target: Target, directory: Path) -> Path:
        write_project(residual_program(target.board), target, directory)
        return directory

    return write


def pio(directory: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the real ``pio`` in ``directory``, with tinygen's environment and ``variables``."""
    return subprocess.run(
        platformio.command(*arguments), cwd=directory, env=platformio.environment() | variables,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
