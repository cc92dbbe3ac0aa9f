"""What `pip install tinygen` gets: the wheel, built from the sdist, without network."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import pytest

from tinygen import __version__
from tinygen.board.file import all_boards

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "digits" / "digits.tflite"


@dataclass(frozen=True)
class Distributions:
    """The two files that a release publishes."""

    sdist: Path
    wheel: Path


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_of(folder: Path) -> Iterator[str]:
    """The files below ``folder`` as wheels spell them, relative to the folder's parent."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(folder.parent).as_posix()


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    out = tmp_path_factory.mktemp("dist")
    # By default `build` makes the wheel from the source distribution: that proves both.
    run("-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return Distributions(sdist, wheel)


@pytest.fixture(scope="module")
def installed(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel alone; its dependencies come from this environment."""
    target = tmp_path_factory.mktemp("site")
    pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target")
    run(*pip, target, distributions.wheel, cwd=target)
    return target


def test_the_wheel_holds_the_package_and_its_data(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    data = [f"tinygen/{name}" for kind in ("templates", "boards") for name in files_of(ROOT / kind)]
    assert held == {*files_of(ROOT / "tinygen"), *data}
    assert "tinygen/kernels/tg_conv2d_s8.h" in held


def test_the_wheel_says_what_it_is(distributions: Distributions) -> None:
    assert distributions.wheel.name == f"tinygen-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(distributions.wheel) as wheel:
        info = f"tinygen-{__version__}.dist-info"
        metadata = Parser().parsestr(wheel.read(f"{info}/METADATA").decode())
        assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert b"tinygen = tinygen.cli:main" in wheel.read(f"{info}/entry_points.txt")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_source_distribution_is_a_checkout(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    for name in ("Makefile", "LICENSE", "README.md", "CHANGELOG.md", ".ci/run", ".ci/setup"):
        assert name in held
    for folder in ("templates", "boards", "firmware_tests"):
        assert set(files_of(ROOT / folder)) <= held
    assert EXAMPLE.relative_to(ROOT).as_posix() in held


def test_an_installed_wheel_finds_its_boards(installed: Path, tmp_path: Path) -> None:
    path = str(installed)
    module = run("-c", "import tinygen; print(tinygen.__file__)", cwd=tmp_path, PYTHONPATH=path)
    assert Path(module).is_relative_to(installed)
    boards = json.loads(
        run("-m", "tinygen", "boards", "--json", cwd=tmp_path, PYTHONPATH=path),
    )
    assert [board["name"] for board in boards] == [board.name for board in all_boards()]


def test_an_installed_wheel_generates_firmware(installed: Path, tmp_path: Path) -> None:
    def generate(folder: str, python_path: Path) -> dict[str, bytes]:
        command = ("-m", "tinygen", "generate", EXAMPLE, "--board", "mps2-an386", "-o", folder)
        run(*command, cwd=tmp_path, PYTHONPATH=str(python_path))
        return {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path / folder)}

    from_wheel = generate("wheel", installed)
    from_checkout = generate("checkout", ROOT)
    assert from_wheel
    assert {name.partition("/")[2]: text for name, text in from_wheel.items()} == {
        name.partition("/")[2]: text for name, text in from_checkout.items()
    }
