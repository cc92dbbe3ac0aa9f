"""Other programs' commands: every line is told, and nothing outlives its time."""

import os
import sys
from pathlib import Path

import pytest

from tinygen.commands import run_command
from tinygen.errors import ToolError

# Starts a process of its own, tells its number, and waits with it.
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
# The same without waiting.
ABANDON = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
"""


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_lines_come_one_by_one_whatever_ends_them(tmp_path: Path) -> None:
    lines: list[str] = []
    code = (
        r"import sys; sys.stdout.write('one\ntwo\r 50%\r100%\r\n\x1b[31mred\x1b[0m'); sys.exit(3)"
    )
    done = run_command(
        [sys.executable, "-c", code], tmp_path, os.environ, 60, lines.append, tmp_path / "a" / "log"
    )
    assert lines == ["one", "two", " 50%", "100%", "red"]
    assert done.status == 3
    assert (tmp_path / "a" / "log").read_text() == done.output == "one\ntwo\n 50%\n100%\nred\n"


def test_both_streams_are_one(tmp_path: Path) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    assert run_command([sys.executable, "-c", code], tmp_path, {}, 60).output == "out\nerr\n"


def test_the_whole_family_ends_with_the_time(tmp_path: Path) -> None:
    lines: list[str] = []
    done = run_command([sys.executable, "-c", FAMILY], tmp_path, os.environ, 3, lines.append)
    assert done.status is None
    assert not alive(int(lines[0]))


def test_a_child_that_keeps_the_pipe_does_not_keep_us(tmp_path: Path) -> None:
    lines: list[str] = []
    done = run_command([sys.executable, "-c", ABANDON], tmp_path, os.environ, 300, lines.append)
    assert done.status == 0
    assert not alive(int(lines[0]))


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    seen: list[str] = []

    def interrupt(line: str) -> None:
        seen.append(line)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_command([sys.executable, "-c", FAMILY], tmp_path, os.environ, 60, interrupt)
    assert not alive(int(seen[0]))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot run /no/such: No such file"):
        run_command(["/no/such"], tmp_path, {}, 60)
