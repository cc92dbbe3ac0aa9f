"""Which of the tools that the workflows need are here, and the line that installs the others.

``tools.py`` has the table; ``make demo`` and ``make test`` install what is missing of it.
"""

import os
import shutil
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tinygen.tools import BASIC, EXTRA, TOOLS, Found, Tool

# What `tinygen doctor` insists on; the rest is for some boards, or for this project's own tests.
REQUIRED = (BASIC, "cortex_m")
FOR_TESTS = (*REQUIRED, "riscv", "xtensa", EXTRA)

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


def checks() -> tuple[Check, ...]:
    """Look for every tool; takes at most about a minute, however the tools behave."""
    manager = package_manager()
    with ThreadPoolExecutor(max_workers=len(TOOLS)) as pool:
        found = pool.map(lambda tool: tool.probe(), TOOLS)
        return tuple(
            _check(tool, result, manager) for tool, result in zip(TOOLS, found, strict=True)
        )


def install_line(found: tuple[Check, ...], groups: Collection[str] = REQUIRED) -> str:
    """Return one line that installs the tools of ``groups`` that are missing; empty if none is.

    ``found`` is what ``checks`` returned. Where no package manager that we know is here, the line
    lists what to get and where.
    """
    missing = [
        tool
        for tool, check in zip(TOOLS, found, strict=True)
        if tool.group in groups and not check.found
    ]
    return _install_line(missing, package_manager()) if missing else ""


def package_manager() -> str:
    """Return the command of this system's package manager; empty if it is none we know."""
    return next((name for name in _INSTALL_COMMANDS if shutil.which(name)), "")


def _check(tool: Tool, found: Found | None, manager: str) -> Check:
    return Check(
        name=tool.name,
        purpose=tool.purpose,
        required=tool.group in REQUIRED,
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
