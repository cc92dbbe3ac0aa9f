"""Starting and ending the processes that a runner needs."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from tinygen.errors import DeviceError


def tied(command: Sequence[str]) -> list[str]:
    """``command``, so that it ends with this process even if that is killed, where Linux can see
    to it (util-linux's setpriv). The thread that starts it must live as long as it is needed."""
    known = shutil.which(command[0]) is not None  # else starting it must fail, and not setpriv
    return [*(_tie() if known else ()), *command]


@cache
def _tie() -> tuple[str, ...]:
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    tie = (setpriv, "--pdeathsig", "TERM")
    # Busybox has a setpriv without this option.
    probe = subprocess.run([*tie, setpriv, "--help"], capture_output=True, check=False)
    return tie if probe.returncode == 0 else ()


def end_process(process: "subprocess.Popen[bytes]", patience_s: float) -> None:
    """Wait for a process to end by itself, then ask it to, then kill it."""
    for stop in (None, process.terminate, process.kill):
        if stop is not None:
            stop()
        try:
            process.wait(patience_s)
            return
        except subprocess.TimeoutExpired:
            continue
    raise DeviceError(f"process {process.pid} cannot be killed")
