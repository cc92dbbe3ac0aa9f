"""Ending the processes that a runner has started."""

import subprocess

from tinygen.errors import DeviceError


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
