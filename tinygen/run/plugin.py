"""The counting plugin as a shared library that QEMU loads: built on first use, then cached.

QEMU's plugin interface is C, and a plugin must suit the QEMU that loads it, so no binary is
shipped. The cache's key holds all that the library depends on. Several processes may build at once:
each builds a file of its own and renames it into place, so that nobody sees half a library.
"""

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from tinygen.errors import ToolError

# QEMU refuses a plugin whose API version is outside of its range: 7.2 knows 0 and 1, 9.0 starts
# at 2. What the plugin uses is the same in all of them.
API_VERSIONS = range(1, 9)

_TIMEOUT_S = 60.0


def plugin_library(
    qemu: str = "qemu-system-arm", cache: Path | None = None, spare: Path | None = None
) -> Path:
    """Return the plugin's library for ``qemu``, built unless ``cache`` holds it.

    Where ``cache`` cannot be written, the library is built in the directory ``spare``.

    Raises ToolError where there is no QEMU, no C compiler for this machine, or where QEMU does not
    take plugins; instructions can then still be counted with a timer.
    """
    emulator = shutil.which(qemu)
    if emulator is None:
        raise ToolError(f"{qemu} is not installed", "tinygen doctor shows the line to run")
    source = (files("tinygen.run") / "tcg_counter.c").read_text(encoding="utf-8")
    name = f"tcg_counter-{_key(source, Path(emulator))}.so"
    try:
        try:
            return _kept(cache or cache_dir(), name, source, emulator)
        except (OSError, RuntimeError):  # read-only; a user without a home directory
            if spare is None:
                raise
            return _kept(spare, name, source, emulator)
    except (OSError, RuntimeError) as error:
        raise ToolError(f"cannot build QEMU's counting plugin: {error}") from error


def _kept(folder: Path, name: str, source: str, emulator: str) -> Path:
    library = folder / name
    if not library.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _build(source, emulator, Path(scratch)).replace(library)
    return library


def cache_dir() -> Path:
    """Where tinygen keeps what it can make again."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "tinygen"


def host_compiler() -> list[str] | None:
    """The command of a C compiler for this machine: ``$CC`` or what is usual; None without one."""
    for candidate in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        command = shlex.split(candidate)
        if command and shutil.which(command[0]):
            return command
    return None


def _key(source: str, emulator: Path) -> str:
    """A name for the source, this machine, and the very file that is the emulator."""
    stat = emulator.resolve().stat()
    identity = (source, platform.machine(), str(emulator.resolve()), stat.st_size, stat.st_mtime_ns)
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:16]


def _build(source: str, emulator: str, scratch: Path) -> Path:
    compiler = host_compiler()
    if compiler is None:
        raise ToolError("no C compiler for this machine (cc, gcc or clang)", "apt install gcc")
    code, library = scratch / "tcg_counter.c", scratch / "tcg_counter.so"
    code.write_text(source, encoding="utf-8")
    # The plugin's undefined symbols are QEMU's own, found when QEMU loads it.
    late_binding = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    refusal = ""
    for version in API_VERSIONS:
        compiled = _run(
            [*compiler, "-O2", "-shared", "-fPIC", *late_binding, f"-DPLUGIN_API={version}",
             "-o", str(library), str(code)]
        )  # fmt: skip
        if compiled.returncode != 0:
            raise ToolError(f"the host's C compiler failed: {compiled.stderr.strip()}")
        loaded = _run(
            [emulator, "-machine", "none", "-nodefaults", "-display", "none", "-monitor", "stdio",
             "-plugin", str(library)],
            text="quit\n",
        )  # fmt: skip
        if loaded.returncode == 0:
            return library
        refusal = loaded.stderr.strip()
        if "API version" not in refusal:
            break
    raise ToolError(f"QEMU does not load the counting plugin: {refusal}")


def _run(command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{command[0]} did not answer within {_TIMEOUT_S:g} s") from error
