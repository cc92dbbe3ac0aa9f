"""The kernels' headers as a whole: what models that need several of them build with."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import tinygen
from firmware_tests.kernels.cases import all_cases
from firmware_tests.kernels.harness import WARNINGS, compile_cases, graph_of
from tinygen.compile import Options
from tinygen.emit import emit, kernel_files
from tinygen.instances import Optimize
from tinygen.ir import Op
from tinygen.isa import Isa
from tinygen.ops.base import Kernel
from tinygen.select import candidates

ARM = "arm-none-eabi-gcc"
needs_arm = pytest.mark.skipif(shutil.which(ARM) is None, reason=f"needs {ARM}")
HELIUM = (ARM, "-mcpu=cortex-m55", "-mfloat-abi=hard", "-mthumb")


@pytest.mark.parametrize("compiler", [("cc",), pytest.param(HELIUM, marks=needs_arm)])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_program_may_use_all_kernels_in_any_order(
    tmp_path: Path, compiler: tuple[str, ...], backwards: bool
) -> None:
    kernels = Path(tinygen.__file__).parent / "kernels"
    headers = sorted((path.name for path in kernels.glob("*.h")), reverse=backwards)
    for name, text in kernel_files(headers).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "unit.c").write_text("".join(f'#include "{name}"\n' for name in headers))
    command = [*compiler, "-std=c99", "-O2", *WARNINGS, "-fsyntax-only", "unit.c"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr


@needs_arm
def test_clang_is_given_no_assembly_that_overwrites_its_frame_pointer(tmp_path: Path) -> None:
    """Clang only warns of that; GCC, told to keep one and to call itself Clang, refuses it."""
    functions: dict[str, str] = {}  # by the operators' names
    ops: list[Op] = []
    for op in all_cases():
        for row in candidates(op, Isa.DSP):
            if row.needs is Isa.DSP and row.function not in functions.values():
                functions[op.name] = row.function
                ops.append(op)
                break
    assert "tg_matmul_twist_s8_dsp" in functions.values()

    def choose(op: Op, rows: Sequence[Kernel[Any]]) -> Kernel[Any]:
        return next(row for row in rows if row.function == functions[op.name])

    options = Options(optimize=Optimize.SPEED)
    program = compile_cases(graph_of(ops), Isa.DSP, options, choose)
    for name, text in emit(program).items():
        (tmp_path / name).write_text(text)
    command = [ARM, "-mcpu=cortex-m4", "-mthumb", "-std=c99", "-O2", *WARNINGS, "-D__clang__"]
    command += ["-fno-omit-frame-pointer", "-S", f"{program.name}.c", "-o", "unit.s"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
