"""Processes that a runner starts end with it, however it ends."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from tinygen.run.process import end_process, tied


def running(pid: int) -> bool:
    """Whether a process is there, and more than what its parent has not looked at yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 20
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("setpriv") is None,
    reason="only util-linux's setpriv ties a process to its parent",
)
def test_a_killed_run_leaves_nothing_behind() -> None:
    script = (
        "import subprocess; from tinygen.run.process import tied;"
        "child = subprocess.Popen(tied(['sleep', '600'])); print(child.pid, flush=True);"
        "child.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # From when setpriv has become the program on, the two are tied.
        wait_until(lambda: Path(f"/proc/{child}/comm").read_text(encoding="ascii") == "sleep\n")
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not running(child))


def test_a_program_that_is_not_installed_fails_by_its_own_name() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-emulator"):
        subprocess.Popen(tied(["no-such-emulator", "-x"]))


@pytest.mark.parametrize("signals", ["", "trap '' TERM;"], ids=["asked", "killed"])
def test_a_process_that_does_not_end_is_ended(signals: str) -> None:
    script = f"{signals} echo ready; while true; do sleep 0.05; done"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        end_process(process, 0.2)
        assert process.returncode in (-signal.SIGTERM, -signal.SIGKILL)
