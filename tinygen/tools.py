"""The programs and packages that tinygen works with: how to look for each, and where it comes from.

The table ``TOOLS`` is all there is to know about a tool.
"""

import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tinygen.board.cores import CORES
from tinygen.board.file import all_boards
from tinygen.run.plugin import host_compiler

# The groups of tools that belong to no architecture.
BASIC, EXTRA, OPTIONAL = "basic", "extra", "optional"

_PROBE_TIMEOUT_S = 15.0


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
    of those managers. ``group`` is BASIC for what everyone needs, EXTRA for what some ways to
    build, to upload and to test need, OPTIONAL for what nobody does, or the architecture
    (``Core.arch``) whose boards need it.
    """

    name: str
    purpose: str
    probe: Callable[[], Found | None]
    advice: str
    packages: Mapping[str, str] = field(default_factory=dict)
    group: str = BASIC


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


def _c_library(core: str, macro: str, *files: str) -> Callable[[], Found | None]:
    """The ``files`` and headers that the compiler of ``core`` finds; ``macro`` is the version's."""

    def probe() -> Found | None:
        chosen = CORES[core]
        compiler = (f"{chosen.cross}gcc", *chosen.flags)
        # GCC answers with the bare name when it has no such file.
        for name in files:
            path = (_output(*compiler, f"-print-file-name={name}") or "").strip()
            if not Path(path).is_absolute():
                return None
        source = "#include <stdint.h>\n#include <stdio.h>\n"
        macros = _output(*compiler, "-E", "-dM", "-x", "c", "-", stdin=source)
        if macros is None:
            return None
        match = re.search(rf'define {macro} "([^"]*)"', macros)
        return Found(match.group(1) if match else "", path)

    return probe


def _qemu(program: str) -> Callable[[], Found | None]:
    """An emulator that has the machine of every board that it is to emulate."""

    def probe() -> Found | None:
        found = _program(program)
        if found is None:
            return None
        offered = (_output(program, "-machine", "help") or "").split()
        boards = [b for b in all_boards() if b.runner == "qemu" and b.core.qemu == program]
        return replace(found, usable={b.machine for b in boards} <= set(offered))

    return probe


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


def _there(name: str) -> Callable[[], Found | None]:
    """For a program that has no option to tell its version."""
    return lambda: Found("", path) if (path := shutil.which(name)) else None


def _arm_cplusplus() -> Found | None:
    """The C++ library that the cross compiler links without being asked, in its small form."""
    library = _output("arm-none-eabi-g++", "-print-file-name=libstdc++_nano.a")
    path = (library or "").strip()
    return Found("", path) if Path(path).is_absolute() else None


_ARM_SITE = "get it from https://developer.arm.com/downloads/-/arm-gnu-toolchain-downloads"
_QEMU_SITE = "get QEMU 6.2 or newer from https://www.qemu.org/download"
_QEMU_MISC = {"apt-get": "qemu-system-misc", "pacman": "qemu-emulators-full", "brew": "qemu"}
_DEBIAN = "only Debian and Ubuntu package what this board's firmware is built with"

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
        group="cortex_m",
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
        _c_library("cortex-m4", "_NEWLIB_VERSION", "libc.a", "nano.specs"),
        group="cortex_m",
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
        group="cortex_m",
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
        _qemu("qemu-system-arm"),
        group="cortex_m",
        packages={
            "apt-get": "qemu-system-arm",
            "dnf": "qemu-system-arm-core",
            "pacman": "qemu-system-arm",
            "apk": "qemu-system-arm",
            "brew": "qemu",
        },
        advice=_QEMU_SITE,
    ),
    Tool(
        "riscv64-unknown-elf-gcc",
        "building for board qemu-rv32imc",
        _named("riscv64-unknown-elf-gcc"),
        group="riscv",
        packages={"apt-get": "gcc-riscv64-unknown-elf"},
        advice=_DEBIAN,
    ),
    Tool(
        "picolibc-riscv",
        "the C library of RISC-V firmware",
        _c_library("riscv32imc", "_PICOLIBC_VERSION", "picolibc.specs"),
        group="riscv",
        packages={"apt-get": "picolibc-riscv64-unknown-elf"},
        advice=_DEBIAN,
    ),
    Tool(
        "qemu-system-riscv32",
        "emulating board qemu-rv32imc",
        _qemu("qemu-system-riscv32"),
        group="riscv",
        packages=_QEMU_MISC | {"dnf": "qemu-system-riscv-core", "apk": "qemu-system-riscv32"},
        advice=_QEMU_SITE,
    ),
    Tool(
        "xtensa-lx106-elf-gcc",
        "building for board qemu-lx106",
        _named("xtensa-lx106-elf-gcc"),
        group="xtensa",
        packages={"apt-get": "gcc-xtensa-lx106"},
        advice=_DEBIAN,
    ),
    Tool(
        "picolibc-xtensa",
        "the C library of Xtensa firmware",
        _c_library("lx106", "_PICOLIBC_VERSION", "libc.a", "libm.a"),
        group="xtensa",
        packages={"apt-get": "picolibc-xtensa-lx106-elf"},
        advice=_DEBIAN,
    ),
    Tool(
        "qemu-system-xtensa",
        "emulating board qemu-lx106",
        _qemu("qemu-system-xtensa"),
        group="xtensa",
        packages=_QEMU_MISC | {"dnf": "qemu-system-xtensa-core", "apk": "qemu-system-xtensa"},
        advice=_QEMU_SITE,
    ),
    Tool(
        "tflite-micro",
        "comparing with TFLite Micro's own interpreter",
        _distribution("tflite-micro"),
        advice="pip install 'tinygen[reference]'",
        group=OPTIONAL,
    ),
    Tool(
        "ai-edge-litert",
        "comparing with LiteRT's own interpreter",
        _distribution("ai-edge-litert"),
        advice="pip install 'tinygen[reference]'",
        group=OPTIONAL,
    ),
    Tool(
        "platformio",
        "building for and flashing real boards",
        _distribution("platformio"),
        advice="pip install platformio",
        group=OPTIONAL,
    ),
    Tool(
        "cmake",
        "building a generated project with CMake",
        _named("cmake"),
        packages=dict.fromkeys(("apt-get", "dnf", "pacman", "apk", "brew"), "cmake"),
        advice="get it from https://cmake.org/download",
        group=EXTRA,
    ),
    Tool(
        "c++",
        "Arduino sketches in this project's own tests",
        _named("c++"),
        packages={"apt-get": "g++", "dnf": "gcc-c++", "pacman": "gcc", "apk": "g++"},
        advice="xcode-select --install" if sys.platform == "darwin" else "install a C++ compiler",
        group=EXTRA,
    ),
    Tool(
        "libstdc++",
        "linking Cortex-M firmware as PlatformIO does",
        _arm_cplusplus,
        packages={
            "apt-get": "libstdc++-arm-none-eabi-newlib",
            "dnf": "arm-none-eabi-gcc-cs-c++",
            "pacman": "arm-none-eabi-newlib",
            "apk": "g++-arm-none-eabi",
            "brew": "gcc-arm-embedded",
        },
        advice=_ARM_SITE,
        group=EXTRA,
    ),
    Tool(
        "openocd",
        "flashing by debug probe without PlatformIO",
        _named("openocd"),
        packages={"apt-get": "openocd", "dnf": "openocd", "pacman": "openocd", "brew": "open-ocd"},
        advice="get it from https://openocd.org",
        group=EXTRA,
    ),
    Tool(
        "stm32flash",
        "flashing by an STM32's serial boot loader",
        _there("stm32flash"),
        packages={
            "apt-get": "stm32flash",
            "dnf": "stm32flash",
            "pacman": "stm32flash",
            "brew": "stm32flash",
        },
        advice="get it from https://sourceforge.net/projects/stm32flash",
        group=EXTRA,
    ),
    Tool(
        "renode",
        "emulating boards that QEMU lacks",
        _named("renode"),
        advice="get it from https://renode.io",
        group=OPTIONAL,
    ),
)
