"""The guides are true: their commands run, their files build, their options exist."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import yaml

from firmware_tests import guides
from tinygen import interpreters
from tinygen.ir import Numerics
from tinygen.tools import TOOLS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("examples/*/README.md"))]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory as in a clone of the repository, with tinygen on the PATH."""
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "tinygen"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tinygen "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    # The virtual environment's own programs too.
    path = (wrapper.parent, Path(sys.executable).parent, *os.get_exec_path())
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, path)))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "examples", clone / "examples", ignore=shutil.ignore_patterns("build"))
    return clone


def run(script: str, directory: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def follow(page: Path, directory: Path) -> int:
    """Do all that ``page`` says; returns the number of shell blocks."""
    output, count = "", 0
    for block in guides.blocks(page):
        if block.file:
            (directory / block.file).write_text(block.text)
        elif block.language == "sh":
            output, count = run(block.text, directory), count + 1
        elif block.language == "text":
            assert output.endswith(block.text)
    return count


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_exists_with_its_options_and_boards(page: Path) -> None:
    for words in guides.tinygen_commands(page):
        try:
            guides.check_command(words)
        except click.UsageError as error:
            pytest.fail(f"{' '.join(words)}: {error.format_message()}")


def test_a_wrong_command_would_be_found() -> None:
    for line in ("flesh DIR", "test M --board mps2-an386 --max-rom 1", "test M --numerics exact"):
        with pytest.raises(click.UsageError):
            guides.check_command(("tinygen", *line.split()))


def test_your_board_in_five_minutes(shell: Path) -> None:
    assert follow(DOCS / "your-board-in-five-minutes.md", shell) >= 5


def test_the_errors_that_are_explained_are_tinygens_own() -> None:
    page = (DOCS / "your-board-in-five-minutes.md").read_text(encoding="utf-8")
    table = page.split("## What an error means")[1]
    messages = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    source = "".join(f.read_text(encoding="utf-8") for f in (ROOT / "tinygen").rglob("*.py"))
    # Long messages are several pieces of text in the source.
    source = re.sub(r'"\s*\n\s*f?"', "", source)
    assert len(messages) > 10
    assert [m for m in messages if m not in source] == []


def test_use_the_c_in_your_project(shell: Path) -> None:
    for tool in ("cc", "make", "cmake"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here")
    assert follow(DOCS / "use-the-c-in-your-project.md", shell) >= 5


def test_add_your_board(shell: Path) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here")
    assert follow(DOCS / "add-your-board.md", shell) >= 3


def test_the_c_is_called_from_cpp(shell: Path) -> None:
    if shutil.which("c++") is None:
        pytest.skip("c++ is not here")
    run("tinygen generate examples/digits/digits.tflite --board native -o p", shell)
    (shell / "sketch.cpp").write_text(
        '#include "digits.h"\nint main() { digits_invoke(); return digits_output_0()[1] == 0; }\n'
    )
    run("cc -O2 -c p/lib/digits/*.c && c++ -Ip/lib/digits sketch.cpp *.o -o sketch", shell)
    run("./sketch", shell)


def test_esp_idf_finds_a_component_in_the_library(shell: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not here")
    run("tinygen generate examples/digits/digits.tflite --board native -o p", shell)
    # What ESP-IDF's function of this name does with a component's CMakeLists.txt.
    (shell / "CMakeLists.txt").write_text("""
        cmake_minimum_required(VERSION 3.16)
        project(idf C)
        set(ESP_PLATFORM 1)
        macro(idf_component_register)
            cmake_parse_arguments(_ "" "" "SRCS;INCLUDE_DIRS;REQUIRES" ${ARGN})
            set(COMPONENT_LIB __idf_digits)
            add_library(${COMPONENT_LIB} STATIC ${__SRCS})
            target_include_directories(${COMPONENT_LIB} PUBLIC ${__INCLUDE_DIRS})
        endmacro()
        add_subdirectory(p/lib/digits)
    """)
    run("cmake -S . -B idf && cmake --build idf", shell)
    assert "T digits_invoke" in run("nm idf/p/lib/digits/*.a", shell)


def test_what_is_claimed_for_a_certification_file_holds(shell: Path) -> None:
    run("tinygen generate examples/digits/digits.tflite --board native -o p", shell)
    compile_ = "cc -std=c99 -O2 -fdata-sections -fstack-usage -c"
    run(f"mkdir o; cd o; for f in ../p/lib/digits/*.c; do {compile_} $f; done", shell)
    symbols = [line.split() for line in run("nm -P o/*.o", shell).splitlines()]
    kinds = {s[0]: s[1] for s in symbols if len(s) > 1}
    assert {name for name, kind in kinds.items() if kind in "bBdDcC"} == {"digits_arena"}
    undefined = {name for name, kind in kinds.items() if kind == "U"}
    assert {name for name in undefined if not name.startswith("digits_")} <= {"memcpy", "memset"}
    assert all(name.startswith("digits_") for name, kind in kinds.items() if kind in "TR")
    frames = [line.split()[-1] for line in run("cat o/*.su", shell).splitlines()]
    assert frames and set(frames) == {"static"}
    assert ".bss.digits_arena" in run("readelf -WS o/digits.o", shell)


def test_emulated_regression_tests_in_ci(shell: Path) -> None:
    if not interpreters.available(Numerics.TFLM):
        pytest.skip("tflite-micro is not installed")
    assert follow(DOCS / "emulated-regression-tests-in-ci.md", shell) >= 3


def ci_file(name: str) -> Any:
    return yaml.safe_load((ROOT / "examples" / "ci" / name).read_text(encoding="utf-8"))


def github_scripts() -> Iterator[tuple[str, dict[str, str]]]:
    """The script of each job of the workflow for each row of its matrix, and its variables."""
    workflow = ci_file("github-actions.yml")
    for job in workflow["jobs"].values():
        rows = job.get("strategy", {}).get("matrix", {}).get("include", [{}])
        for row in rows:
            lines = [step["run"] for step in job["steps"] if "run" in step]
            script = "\n".join(lines)
            for key, value in row.items():
                script = script.replace(f"${{{{ matrix.{key} }}}}", str(value))
            yield script, workflow["env"]


def gitlab_scripts() -> Iterator[tuple[str, dict[str, str]]]:
    pipeline = ci_file("gitlab-ci.yml")
    for name in ("emulate", "build"):
        job = pipeline[name]
        for row in job.get("parallel", {}).get("matrix", [{}]):
            lines = [*pipeline["default"]["before_script"], *job["script"]]
            yield "\n".join(lines), pipeline["variables"] | row


JOBS = [*github_scripts(), *gitlab_scripts()]
INSTALLING = re.compile(r"^(sudo )?(apt-get|pip) .*\n", re.MULTILINE)


def run_job(script: str, variables: dict[str, str], directory: Path) -> None:
    """Run what is left of a job where all is installed."""
    own = INSTALLING.sub("", script).strip()
    assert "${{" not in own and own.startswith("tinygen ")
    exports = "".join(f"export {key}='{value}'\n" for key, value in variables.items())
    run(exports + own, directory)


def test_both_services_run_the_same_jobs() -> None:
    def commands(script: str, variables: dict[str, str]) -> str:
        named = INSTALLING.sub("", script)
        for key, value in variables.items():
            named = named.replace(f'"${key}"', value).replace(f"${key}", value)
        return re.sub(r"\s+", " ", named).strip()

    assert [commands(*job) for job in github_scripts()] == [
        commands(*job) for job in gitlab_scripts()
    ]


@pytest.mark.parametrize(("script", "variables"), list(github_scripts()), ids=["0", "1", "2", "3"])
def test_the_jobs_pass_on_the_example(shell: Path, script: str, variables: dict[str, str]) -> None:
    run_job(script, variables, shell)


def test_the_jobs_install_what_the_doctor_asks_for() -> None:
    apt = [(tool.group, tool.packages.get("apt-get", "").split()) for tool in TOOLS]
    known = {p for _, packages in apt for p in packages}
    needed = {p for group, packages in apt if group == "cortex_m" for p in packages}
    for script, variables in JOBS:
        assert "apt-get install -y --no-install-recommends $PACKAGES" in script
        assert 'pip install "$TINYGEN"' in script
        listed = set(variables["PACKAGES"].split())
        assert needed <= listed <= known


@pytest.mark.parametrize("regression", ["model", "budget"])
def test_a_job_fails_where_something_regressed(shell: Path, regression: str) -> None:
    script, variables = next(job for job in gitlab_scripts() if job[1].get("BOARD") == "mps2-an386")
    if regression == "model":
        words = r"FAIL .* mismatched bytes .*\n.*suspect the vectors"
        file = shell / variables["VECTORS"]
        with np.load(file) as golden:
            arrays = dict(golden)
        np.savez(file, in0=arrays["in0"], out0=arrays["tflm0"] ^ 1)
    else:
        words = "over budget: .* RAM bytes, 5,000 allowed; .* instructions, 100,000 allowed"
        variables = variables | {"RAM": "5000", "INSTRUCTIONS": "100000"}
    with pytest.raises(AssertionError, match=words):
        run_job(script, variables, shell)
