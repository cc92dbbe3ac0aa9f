"""Compile a generated project's own files on top of a stand-in for its framework.

The sources are the project's, and so are the flags that PlatformIO takes from ``platformio.ini``
and ``library.json``; only the framework beneath is the tests'.
"""

import atexit
import configparser
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from firmware_tests.kernels.harness import SANITIZERS
from tinygen.firmware.manifest import read_manifest

HERE = Path(__file__).parent
ARDUINO = HERE / "arduino"
ESPIDF = HERE / "espidf"

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
# The standards that the oldest of the frameworks compile with.
C, CXX = ("-std=gnu11",), ("-std=gnu++11", "-fno-exceptions", "-fno-rtti")


@dataclass(frozen=True, slots=True)
class Compilers:
    """A C and a C++ compiler, and the flags for both."""

    prefix: str = ""
    flags: tuple[str, ...] = ()

    def command(self, source: Path) -> list[str]:
        """The start of the command line that compiles ``source``."""
        gnu = {".c": ("gcc", C), ".cpp": ("g++", CXX)}
        host = {".c": ("cc", C), ".cpp": ("c++", CXX)}
        program, standard = (gnu if self.prefix else host)[source.suffix]
        return [self.prefix + program, *standard, *self.flags]

    @property
    def missing(self) -> str:
        """The compilers that are not installed, for a skip's reason."""
        programs = [self.command(Path(f"x{suffix}"))[0] for suffix in (".c", ".cpp")]
        return ", ".join(p for p in programs if shutil.which(p) is None)


HOST = Compilers(flags=("-g", *SANITIZERS))
# The kernels' own tests have the sanitizers; here they would take most of the time.
HOST_MODEL = Compilers()


def sketch_sources(project: Path) -> list[Path]:
    """What is compiled of ``project`` beside the model, whatever the framework."""
    return sorted(f for f in (project / "src").rglob("*") if f.suffix in (".c", ".cpp"))


def model_objects(project: Path, compilers: Compilers) -> list[Path]:
    """The model's objects. It is the same on many boards, and is compiled once for all of them."""
    folder, flags = model_folder(project), model_flags(project)
    texts = b"\0".join(f.read_bytes() for f in sorted(folder.iterdir()))
    kept = tuple(f for f in flags if not f.startswith("-I"))
    key = hashlib.sha256(repr((texts, compilers, kept)).encode()).hexdigest()
    if key not in _models:
        _models[key] = compile_all(sorted(folder.glob("*.c")), compilers, flags, _store() / key)
    return _models[key]


_models: dict[str, list[Path]] = {}


@cache
def _store() -> Path:
    """Where this process keeps the objects of all models."""
    directory = Path(tempfile.mkdtemp(prefix="tinygen-models-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def project_flags(project: Path) -> list[str]:
    """The compiler's flags that the project gives to PlatformIO, and where its headers are."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(project / "platformio.ini")
    environment = next(s for s in ini.sections() if s.startswith("env:"))
    includes = [f"-I{project / 'src'}", f"-I{model_folder(project)}"]
    return [*includes, *ini[environment]["build_flags"].split()]


def model_flags(project: Path) -> list[str]:
    """The flags for the model's own files."""
    library = json.loads((model_folder(project) / "library.json").read_text())
    return [*project_flags(project), *library["build"]["flags"]]


def model_folder(project: Path) -> Path:
    """Where the model's files are."""
    return project / "lib" / read_manifest(project).name


def compile_all(
    sources: Sequence[Path], compilers: Compilers, flags: Sequence[str], directory: Path
) -> list[Path]:
    """Compile ``sources``; gives the objects."""
    directory.mkdir(parents=True, exist_ok=True)
    objects = [directory / f"{i:02d}_{s.stem}.o" for i, s in enumerate(sources)]
    for source, target in zip(sources, objects, strict=True):
        run([*compilers.command(source), *STRICT, *flags, "-c", str(source), "-o", str(target)])
    return objects


def build_process(project: Path, stand_in: Path, flags: Sequence[str] = ()) -> Path:
    """The sketch of ``project`` as a program of this machine; ``stand_in`` is the framework."""
    build = project / "build" / "sketch"
    own = [*project_flags(project), f"-I{stand_in.parent}", f"-I{HERE}", f"-I{ESPIDF}", *flags]
    objects = compile_all([*sketch_sources(project), stand_in], HOST, own, build)
    objects += model_objects(project, HOST_MODEL)
    image = build / "sketch"
    run(["c++", *HOST.flags, *map(str, objects), "-lm", "-o", str(image)])
    return image


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command; its words go to the test's report."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, " ".join(command) + "\n" + done.stdout + done.stderr


@contextmanager
def behind_a_terminal(image: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run ``image`` behind a pseudo-terminal; gives the path of the serial port that it is."""
    board, port = os.openpty()
    tty.setraw(port)
    process = subprocess.Popen(
        [image],
        stdin=board,
        stdout=board,
        stderr=subprocess.PIPE,
        env=os.environ | dict(environment or {}),
        text=True,
    )
    try:
        yield os.ttyname(port)
        assert process.poll() is None, process.communicate()[1]
    finally:
        process.kill()
        process.communicate()
        os.close(board)
        os.close(port)
