"""Which of the tools that the workflows need are here, and the line that installs the others.

The table ``TOOLS`` is all there is to know about a tool; ``make demo`` and ``make test`` install
what the same table calls missing.
"""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tinygen.board import all_boards
from tinygen.run.plugin import host_compiler

_PROBE_TIMEOUT_S = 15.0

_INSTALL_COMMANDS = {
    "apt-get": "apt-get install -y --no-install-recommends",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed",
    "apk": "apk add",
    "brew": "brew install",
}


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one tool.

    ``found`` means usable: a tool that is too old, or that lacks its libraries, is not found, but
    has its version and path. ``install`` is the line to run, also where the tool is here.
    """

    name: str
    purpose: str
    required: bool
    found: bool
    version: str
    path: str
    install: str


@dataclass(frozen=True, slots=True)
class Found:
    """A tool's version and path, empty where it does not say, and whether it will do."""

    version: str
    path: str
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, how to look for it, and how its packages are called.

    ``packages`` maps a package manager to package names; ``advice`` is the install line without one
    of those managers.
    """

    name: str
    purpose: str
    probe: Callable[[], Found | None]
    advice: str
    packages: Mapping[str, str] = field(default_factory=dict)
    required: bool = True


def checks() -> tuple[Check, ...]:
    """Look for every tool; takes at most about a minute, however the tools behave."""
    manager = package_manager()
    with ThreadPoolExecutor(max_workers=len(TOOLS)) as pool:
        found = pool.map(lambda tool: tool.probe(), TOOLS)
        return tuple(
            _check(tool, result, manager) for tool, result in zip(TOOLS, found, strict=True)
        )


def install_line(found: tuple[Check, ...]) -> str:
    """Return one line that installs every required tool that ``found`` lacks; empty if none is.

    ``found`` is what ``checks`` returned. Where no package manager that we know is here, the line
    lists what to get and where.
    """
    missing = [
        tool for tool, check in zip(TOOLS, found, strict=True) if check.required and not check.found
    ]
    return _install_line(missing, package_manager()) if missing else ""


def package_manager() -> str:
    """Return the command of this system's package manager; empty if it is none we know."""
    return next((name for name in _INSTALL_COMMANDS if shutil.which(name)), "")


def _check(tool: Tool, found: Found | None, manager: str) -> Check:
    return Check(
        name=tool.name,
        purpose=tool.purpose,
        required=tool.required,
        found=found is not None and found.usable,
        version=found.version if found else "",
        path=found.path if found else "",
        install=_install_line([tool], manager),
    )


def _install_line(tools: list[Tool], manager: str) -> str:
    packages = dict.fromkeys(tool.packages[manager] for tool in tools if manager in tool.packages)
    lines = dict.fromkeys(tool.advice for tool in tools if manager not in tool.packages)
    if not packages:
        return "; ".join(lines)
    sudo = "sudo " if manager != "brew" and os.geteuid() != 0 else ""
    return "; ".join((f"{sudo}{_INSTALL_COMMANDS[manager]} {' '.join(packages)}", *lines))


def _output(*command: str, stdin: str = "") -> str | None:
    """Return what ``command`` prints; None if it fails, is not there, or takes too long."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _version(text: str) -> str:
    """Return the last dotted number of the first line: a distribution's own comes before it.

    ``arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205`` is version 12.2.1.
    """
    first = re.sub(r"\([^)]*\)", "", text.partition("\n")[0])
    match = re.search(r"\d+(\.\d+)+", first)
    return match.group() if match else ""


def _program(name: str) -> Found | None:
    path, text = shutil.which(name), _output(name, "--version")
    return Found(_version(text), path) if path and text is not None else None


def _python() -> Found | None:
    return Found(platform.python_version(), sys.executable) if sys.version_info >= (3, 11) else None


def _host_compiler() -> Found | None:
    """A compiler with its C library: Debian's gcc alone comes without headers."""
    command = host_compiler()
    if command is None or (found := _program(command[0])) is None:
        return None
    headers = _output(*command, "-E", "-x", "c", "-", stdin="#include <stdio.h>\n")
    return replace(found, usable=headers is not None)


def _newlib() -> Found | None:
    """The libraries and headers that the cross compiler finds by itself."""
    compiler = "arm-none-eabi-gcc"
    for name in ("libc.a", "nano.specs"):
        # GCC answers with the bare name when it has no such file.
        path = (
            _output(compiler, "-mthumb", "-mcpu=cortex-m4", f"-print-file-name={name}") or ""
        ).strip()
        if not Path(path).is_absolute():
            return None
    macros = _output(
        compiler, "-E", "-dM", "-x", "c", "-", stdin="#include <stdint.h>\n#include <stdio.h>\n"
    )
    if macros is None:
        return None
    match = re.search(r'define _NEWLIB_VERSION "([^"]*)"', macros)
    return Found(match.group(1) if match else "", path)


def _qemu() -> Found | None:
    """An emulator that has the machine of every board."""
    found = _program("qemu-system-arm")
    if found is None:
        return None
    offered = (_output("qemu-system-arm", "-machine", "help") or "").split()
    needed = {board.machine for board in all_boards() if board.runner == "qemu"}
    return replace(found, usable=needed <= set(offered))


def _distribution(name: str) -> Callable[[], Found | None]:
    def probe() -> Found | None:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            return None
        return Found(distribution.version, str(distribution.locate_file("")))

    return probe


def _named(name: str) -> Callable[[], Found | None]:
    return lambda: _program(name)


_ARM_SITE = "get it from https://developer.arm.com/downloads/-/arm-gnu-toolchain-downloads"

TOOLS = (
    Tool("python", "tinygen itself", _python, advice="install Python 3.11 or newer"),
    Tool(
        "cc",
        "board native; counting instructions in QEMU",
        _host_compiler,
        packages={
            "apt-get": "gcc libc6-dev",
            "dnf": "gcc glibc-devel",
            "pacman": "gcc",
            "apk": "gcc musl-dev",
        },
        advice="xcode-select --install" if sys.platform == "darwin" else "install a C compiler",
    ),
    Tool(
        "make",
        "building a generated project",
        _named("make"),
        packages=dict.fromkeys(("apt-get", "dnf", "pacman", "apk", "brew"), "make"),
        advice="install GNU make",
    ),
    Tool(
        "arm-none-eabi-gcc",
        "building for every Cortex-M board",
        _named("arm-none-eabi-gcc"),
        packages={
            "apt-get": "gcc-arm-none-eabi",
            "dnf": "arm-none-eabi-gcc-cs",
            "pacman": "arm-none-eabi-gcc",
            "apk": "gcc-arm-none-eabi",
            "brew": "gcc-arm-embedded",
        },
        advice=_ARM_SITE,
    ),
    Tool(
        "newlib",
        "the C library of Cortex-M firmware",
        _newlib,
        packages={
            "apt-get": "libnewlib-arm-none-eabi",
            "dnf": "arm-none-eabi-newlib",
            "pacman": "arm-none-eabi-newlib",
            "apk": "newlib-arm-none-eabi",
            "brew": "gcc-arm-embedded",
        },
        advice=_ARM_SITE,
    ),
    Tool(
        "arm-none-eabi-objdump",
        "estimating cycles",
        _named("arm-none-eabi-objdump"),
        packages={
            "apt-get": "binutils-arm-none-eabi",
            "dnf": "arm-none-eabi-binutils-cs",
            "pacman": "arm-none-eabi-binutils",
            "apk": "binutils-arm-none-eabi",
            "brew": "gcc-arm-embedded",
        },
        advice=_ARM_SITE,
    ),
    Tool(
        "qemu-system-arm",
        "emulating the Cortex-M boards",
        _qemu,
        packages={
            "apt-get": "qemu-system-arm",
            "dnf": "qemu-system-arm-core",
            "pacman": "qemu-system-arm",
            "apk": "qemu-system-arm",
            "brew": "qemu",
        },
        advice="get QEMU 6.2 or newer from https://www.qemu.org/download",
    ),
    Tool(
        "tflite-micro",
        "comparing with TFLite Micro's own interpreter",
        _distribution("tflite-micro"),
        advice="pip install 'tinygen[reference]'",
        required=False,
    ),
    Tool(
        "ai-edge-litert",
        "comparing with LiteRT's own interpreter",
        _distribution("ai-edge-litert"),
        advice="pip install 'tinygen[reference]'",
        required=False,
    ),
    Tool(
        "platformio",
        "building for and flashing real boards",
        _named("pio"),
        advice="pip install platformio",
        required=False,
    ),
    Tool(
        "renode",
        "emulating boards that QEMU lacks",
        _named("renode"),
        advice="get it from https://renode.io",
        required=False,
    ),
)
