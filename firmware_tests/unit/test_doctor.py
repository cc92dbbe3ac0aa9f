"""The doctor against a PATH that holds exactly the programs that a test puts there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tinygen import tools
from tinygen.board.file import all_boards
from tinygen.doctor import FOR_TESTS, Check, checks, install_line

AddProgram = Callable[[str, str], Path]

GCC = 'echo "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205"'
MACHINES = " ".join(board.machine for board in all_boards())
QEMU = f'case $1 in -machine) echo "{MACHINES}";; *) echo "QEMU emulator version 7.2.22";; esac'
NEWLIB = r"""
case "$*" in
    *-print-file-name=*) echo "/lib/newlib/${3#*=}" ;;
    *-dM*) echo '#define _NEWLIB_VERSION "3.3.0"' ;;
    *) echo "arm-none-eabi-gcc (GNU Arm Embedded) 13.2.1" ;;
esac
"""


@pytest.fixture
def add_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddProgram:
    """Empty the PATH and return a function that puts a shell script on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)

    def add(name: str, script: str) -> Path:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    return add


def check(name: str) -> Check:
    (found,) = (check for check in checks() if check.name == name)
    return found


@pytest.mark.usefixtures("add_program")
def test_without_programs_only_python_and_its_packages_are_found() -> None:
    python = {"python", "tflite-micro", "ai-edge-litert", "platformio"}
    missing = [check for check in checks() if check.name not in python]
    assert missing
    assert not any(check.found or check.version or check.path for check in missing)
    assert all(check.install and check.purpose for check in missing)
    assert check("python").found


def test_a_compilers_own_version_is_told_from_the_distributions(add_program: AddProgram) -> None:
    path = add_program("arm-none-eabi-gcc", GCC)
    found = check("arm-none-eabi-gcc")
    assert (found.found, found.version, found.path) == (True, "12.2.1", str(path))


def test_a_cross_compiler_without_newlib_is_half_of_what_is_needed(add_program: AddProgram) -> None:
    # Asked for a file that it does not have, GCC answers with the bare name.
    add_program("arm-none-eabi-gcc", 'echo "${3#*=}"')
    assert check("arm-none-eabi-gcc").found
    assert not check("newlib").found


def test_newlib_is_found_through_the_compiler(add_program: AddProgram) -> None:
    add_program("arm-none-eabi-gcc", NEWLIB)
    found = check("newlib")
    assert (found.found, found.version) == (True, "3.3.0")
    assert found.path == "/lib/newlib/nano.specs"


def test_an_emulator_needs_the_machine_of_every_board(add_program: AddProgram) -> None:
    path = add_program("qemu-system-arm", QEMU)
    assert check("qemu-system-arm").found
    add_program("qemu-system-arm", QEMU.replace("mps3-an547", ""))
    old = check("qemu-system-arm")
    assert (old.found, old.version, old.path) == (False, "7.2.22", str(path))


def test_a_host_compiler_without_headers_is_not_enough(add_program: AddProgram) -> None:
    add_program("gcc", 'case $1 in -E) exit 1;; *) echo "gcc (Debian 12.2.0-14) 12.2.0";; esac')
    found = check("cc")
    assert (found.found, found.version) == (False, "12.2.0")
    add_program("gcc", 'echo "gcc (Debian 12.2.0-14) 12.2.0"')
    assert check("cc").found


PICOLIBC = r"""
case "$*" in
    *-print-file-name=*) for word; do :; done; echo "/lib/picolibc/${word#*=}" ;;
    *-dM*) echo '#define _PICOLIBC_VERSION "1.8"' ;;
    *) echo "riscv64-unknown-elf-gcc (12.2.0-14) 12.2.0" ;;
esac
"""


@pytest.mark.parametrize(
    ("tool", "compiler"),
    [
        ("picolibc-riscv", "riscv64-unknown-elf-gcc"),
        ("picolibc-xtensa", "xtensa-lx106-elf-gcc"),
    ],
)
def test_picolibc_is_found_through_its_compiler(
    add_program: AddProgram, tool: str, compiler: str
) -> None:
    # The compiler refuses the flag that names a library which is not there.
    add_program(compiler, "exit 1")
    assert not check(tool).found
    add_program(compiler, PICOLIBC)
    assert (check(tool).found, check(tool).version) == (True, "1.8")


@pytest.mark.parametrize(
    ("program", "machine"), [("qemu-system-riscv32", "virt"), ("qemu-system-xtensa", "sim")]
)
def test_each_emulator_needs_the_machines_of_its_own_boards(
    add_program: AddProgram, program: str, machine: str
) -> None:
    add_program(program, QEMU.replace(MACHINES, machine))
    assert check(program).found
    assert not check(program).required
    add_program(program, QEMU.replace(MACHINES, "none"))
    assert not check(program).found


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$", "exec /nowhere/at/all"])
def test_a_program_that_does_not_run_is_not_found(add_program: AddProgram, script: str) -> None:
    add_program("arm-none-eabi-objdump", script)
    assert not check("arm-none-eabi-objdump").found


def test_a_program_that_hangs_ends_in_time(
    add_program: AddProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_PROBE_TIMEOUT_S", 0.2)
    add_program("make", "while :; do :; done")
    assert not check("make").found


def test_one_line_installs_all_that_is_missing_and_required(
    add_program: AddProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_program("apt-get", "exit 1")
    add_program("qemu-system-arm", QEMU)
    assert install_line(checks()) == (
        "sudo apt-get install -y --no-install-recommends gcc libc6-dev make "
        "gcc-arm-none-eabi libnewlib-arm-none-eabi binutils-arm-none-eabi"
    )
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert install_line(checks()).startswith("apt-get install")


def test_a_package_that_holds_several_tools_is_named_once(
    add_program: AddProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 501)
    add_program("brew", "exit 1")
    add_program("cc", 'echo "Apple clang version 15.0.0"')
    assert install_line(checks()) == "brew install make gcc-arm-embedded qemu"


def test_the_tools_of_an_architecture_are_installed_where_it_is_asked_for(
    add_program: AddProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add_program("apt-get", "exit 1")
    found = checks()
    riscv = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc"
    assert install_line(found, ("riscv",)).endswith(f" {riscv}")
    assert "riscv" not in install_line(found)
    assert f"{riscv} gcc-xtensa-lx106 " in install_line(found, FOR_TESTS)


@pytest.mark.usefixtures("add_program")
def test_without_a_package_manager_the_line_says_where_to_look() -> None:
    line = install_line(checks())
    assert "https://developer.arm.com" in line
    assert "https://www.qemu.org" in line
    assert line.count("developer.arm.com") == 1


def test_nothing_is_installed_where_nothing_is_missing(add_program: AddProgram) -> None:
    add_program("apt-get", "exit 1")
    add_program("cc", 'echo "cc 12.2.0"')
    add_program("make", 'echo "GNU Make 4.3"')
    add_program("arm-none-eabi-gcc", NEWLIB)
    add_program("arm-none-eabi-objdump", 'echo "GNU objdump (2.40) 2.40"')
    add_program("qemu-system-arm", QEMU)
    assert install_line(checks()) == ""
