"""What PlatformIO says of boards, recorded in ``catalogue.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Known:
    """One board of PlatformIO's: sizes in bytes, ``f_cpu`` in Hz.

    ``cpu`` and ``openocd`` are empty where PlatformIO's board file does not say.
    """

    platform: str
    mcu: str
    f_cpu: int
    frameworks: tuple[str, ...]
    protocols: tuple[str, ...]
    flash: int
    ram: int
    cpu: str = ""
    openocd: str = ""


@cache
def known_boards() -> dict[str, Known]:
    """The recorded boards by PlatformIO's id."""
    boards: dict[str, dict[str, Any]] = _recorded()["boards"]
    return {name: Known(**_frozen(facts)) for name, facts in boards.items()}


@cache
def platform_versions() -> dict[str, str]:
    """The version of each platform whose boards are recorded."""
    versions: dict[str, str] = _recorded()["platforms"]
    return versions


def _frozen(facts: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}


def _recorded() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
