"""What PlatformIO itself says of a project, run as its own process in the project's directory.

    python -P platformio_probe.py ENVIRONMENT CONFIG [TARGET ...]

prints one JSON object. PlatformIO's own modules answer: which packages the project needs and lacks,
where they are kept, and which hosts serve them. That is known in a second, where `pio run` would be
silent for a minute before it fails.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

# The first version that tells, in ``platformio.dependencies``, what it needs itself.
OLDEST = (6, 1, 16)

_CONNECT_S = 5.0


def probe(environment: str, configuration: str, targets: list[str]) -> dict[str, Any]:
    """The state of PlatformIO for one environment of the project in the current directory.

    ``configuration`` is the file in the place of ``platformio.ini``, "" for that file itself. Of a
    PlatformIO before ``OLDEST`` only the version is told.
    ``missing`` lists the packages to be downloaded, each as its specification; ``registry`` is ""
    where there is nothing to download or the registry answers, else why it does not. ``problem`` is
    what no download mends.
    """
    import platformio
    from platformio import app
    from platformio.project.config import ProjectConfig

    app.set_session_var("custom_project_conf", configuration or None)
    config = ProjectConfig.get_instance()
    core = Path(config.get("platformio", "core_dir"))
    version = [part for part in platformio.VERSION if isinstance(part, int)]
    state: dict[str, Any] = {
        "version": version,
        "core_dir": str(core),
        "writable": _writable(core),
        "missing": [],
        "here": [],
        "registry": "",
        "problem": "",
    }
    if state["writable"] and tuple(version) >= OLDEST:
        state |= _packages(config, environment, targets)
        if state["missing"]:
            state["registry"] = _registry(list(platformio.__registry_mirror_hosts__))
    return state


def _packages(config: Any, environment: str, targets: list[str]) -> dict[str, Any]:
    from platformio.dependencies import get_core_dependencies
    from platformio.exception import PlatformioException
    from platformio.package.manager.platform import PlatformPackageManager
    from platformio.package.manager.tool import ToolPackageManager
    from platformio.package.meta import PackageSpec
    from platformio.platform.factory import PlatformFactory

    missing, here = [], []
    section = f"env:{environment}"
    wanted = config.get(section, "platform")
    platforms = PlatformPackageManager()
    if platforms.get_package(wanted) is None:
        missing.append(wanted)
        name = PackageSpec(wanted).name
        here += [
            f"{p.metadata.name} {p.metadata.version}"
            for p in platforms.get_installed()
            if p.metadata.name == name
        ]
    else:
        try:
            platform = PlatformFactory.from_env(environment, targets)
            platform.ensure_engine_compatible()
            platform.board_config(config.get(section, "board"))
        except PlatformioException as error:
            return {"problem": str(error).strip(), "missing": [], "here": []}
        for name, options in platform.packages.items():
            if not options.get("optional") and platform.get_package(name) is None:
                missing.append(f"{name} @ {options.get('version')}")
    scons = PackageSpec(
        owner="platformio", name="tool-scons", requirements=get_core_dependencies()["tool-scons"]
    )
    if ToolPackageManager().get_package(scons) is None:
        missing.append(f"tool-scons @ {get_core_dependencies()['tool-scons']}")
    return {"missing": missing, "here": here}


def _writable(directory: Path) -> bool:
    """Whether ``directory`` can be written to, or created."""
    nearest = next(d for d in (directory, *directory.parents) if d.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _registry(hosts: list[str]) -> str:
    """Why none of ``hosts`` answers; "" if one does. Proxies are honoured as PlatformIO does."""
    import requests

    reasons = []
    for host in hosts:
        try:
            requests.head(f"https://{host}", timeout=_CONNECT_S)
        except requests.RequestException as error:
            reasons.append(f"{host}: {_reason(error)}")
        else:
            return ""
    return "; ".join(reasons)


def _reason(error: Exception) -> str:
    """The innermost error's own words: the outer ones repeat the address."""
    inner: BaseException = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1], sys.argv[2], sys.argv[3:])))
