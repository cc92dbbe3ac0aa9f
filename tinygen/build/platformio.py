"""PlatformIO: find it, learn first what it would fail on, and run it in an environment of our own.

PlatformIO is a package beside tinygen, and keeps platforms and toolchains in its core directory.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tinygen.build.platformio_probe import OLDEST
from tinygen.causes import BUILD, explain
from tinygen.commands import Finished, run_command
from tinygen.errors import BuildError, ToolError

_PROBE = Path(__file__).with_name("platformio_probe.py")
_PROBE_S = 45.0
_LONGEST_OUTPUT = 4000

# What PlatformIO prints of a build that goes well, and its advertisement for missing headers.
_NOISE = re.compile(
    r"(Processing|Verbose mode|CONFIGURATION|PLATFORM|HARDWARE|DEBUG|PACKAGES|LDF|Found|Scanning"
    r"|Dependency|No dependencies|Building|Compiling|Archiving|Indexing|Linking|Checking)\b"
    r"| - \S+ @|\|-- |[-=*]{20,}|\* |\*$"
)

# What PlatformIO and the tools under it may see of the caller's environment: where things are, and
# the way through a proxy. A PLATFORMIO_BUILD_FLAGS of somebody's shell is none of it.
_KEPT = (
    "PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "LANG", "LC_ALL",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy",
    "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "PLATFORMIO_CORE_DIR", "PLATFORMIO_PLATFORMS_DIR", "PLATFORMIO_PACKAGES_DIR",
    "PLATFORMIO_CACHE_DIR", "PLATFORMIO_GLOBALLIB_DIR", "PLATFORMIO_AUTH_TOKEN",
    "PLATFORMIO_SETTING_ENABLE_PROXY_STRICT_SSL", "PLATFORMIO_UPLOAD_FLAGS",
)  # fmt: skip
_OWN = {
    "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "No",
    "PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD": "0",
    "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    "PLATFORMIO_NO_ANSI": "true",
    "PYTHONUNBUFFERED": "1",
}


def available() -> bool:
    """Whether PlatformIO is installed beside tinygen."""
    return importlib.util.find_spec("platformio") is not None


def command(*arguments: str) -> tuple[str, ...]:
    """``pio`` with ``arguments``. Raises ToolError where it is not installed."""
    if not available():
        raise ToolError("PlatformIO is not installed", "pip install platformio")
    return (sys.executable, "-P", "-m", "platformio", *arguments)


def environment() -> dict[str, str]:
    """The environment that PlatformIO runs in."""
    return {k: os.environ[k] for k in _KEPT if k in os.environ} | _OWN


def check(
    directory: Path,
    name: str,
    targets: Sequence[str] = (),
    progress: Callable[[str], None] = lambda text: None,
    config: Path | None = None,
) -> None:
    """Raise ToolError for what would make `pio run` fail before it compiles anything.

    ``name`` is the environment in the project's ``platformio.ini``, or in ``config`` instead. What
    has to be downloaded, and can be, is told to ``progress``.
    """
    command()
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_PROBE), name, str(config or ""), *targets],
            cwd=directory, env=environment(), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=_PROBE_S, check=True,
        )  # fmt: skip
        state = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"PlatformIO did not answer within {_PROBE_S:.0f} s",
            f"try `pio pkg list -d {directory}`",
        ) from None
    except (subprocess.CalledProcessError, ValueError, IndexError) as error:
        words = getattr(error, "stderr", "").strip().splitlines()[-1:] or [str(error)]
        raise ToolError(
            f"PlatformIO cannot read the project: {words[0]}",
            "generate the project again; pip install -U platformio",
        ) from None
    judge(directory, state, progress)


def judge(directory: Path, state: dict[str, object], progress: Callable[[str], None]) -> None:
    """Raise ToolError for what the probe's ``state`` of PlatformIO does not allow."""
    version, core = state["version"], state["core_dir"]
    assert isinstance(version, list) and isinstance(core, str)
    if tuple(version) < OLDEST:
        has = ".".join(map(str, version))
        raise ToolError(f"PlatformIO {has} is too old", "pip install -U platformio")
    if not state["writable"]:
        raise ToolError(
            f"PlatformIO keeps its packages in {core}, which cannot be written to",
            "name another directory in PLATFORMIO_CORE_DIR",
        )
    if state["problem"]:
        raise ToolError(
            f"PlatformIO refuses the project: {state['problem']}", "pip install -U platformio"
        )
    missing, here = state["missing"], state["here"]
    assert isinstance(missing, list) and isinstance(here, list)
    if not missing:
        return
    wanted = ", ".join(missing)
    if state["registry"]:
        instead = f" (here: {', '.join(here)})" if here else ""
        raise ToolError(
            f"PlatformIO lacks {wanted}{instead}, and its registry cannot be reached: "
            f"{state['registry']}",
            f"try again with a network: PlatformIO downloads them; or copy {core} from a computer "
            "that has them",
        )
    progress(f"PlatformIO downloads {wanted} and what they need: minutes, the first time")


def run(
    directory: Path,
    arguments: Sequence[str],
    timeout_s: float,
    on_line: Callable[[str], None],
    log: Path,
) -> Finished:
    """Run ``pio`` with ``arguments`` in ``directory``, its output also into the file ``log``.

    Raises ToolError, and BuildError where it does not end in time.
    """
    done = run_command(command(*arguments), directory, environment(), timeout_s, on_line, log)
    if done.status is None:
        raise BuildError(
            f"PlatformIO did not end within {timeout_s:.0f} s", f"its output is in {log}"
        )
    return done


def failure(output: str) -> BuildError | ToolError:
    """What to raise for a `pio run` that failed with ``output``, other than for lack of memory."""
    if known := explain(BUILD, output):
        return ToolError(known.cause, known.remedy)
    words = "\n".join(line for line in output.splitlines() if not _NOISE.match(line)).strip()
    if len(words) > _LONGEST_OUTPUT:
        words = "...\n" + words[-_LONGEST_OUTPUT:]
    return BuildError(f"PlatformIO could not build the firmware:\n{words}")
