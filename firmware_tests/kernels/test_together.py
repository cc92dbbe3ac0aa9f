"""Kernels of all kinds in one file: layers of one model may take any mixture of them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_tests.kernels.harness import WARNINGS
from tinygen.board.cores import CORES
from tinygen.emit import kernel_files
from tinygen.ops import OPS


@pytest.mark.parametrize("name", ["host", "cortex-m0", "cortex-m4", "cortex-m55", "riscv32imc"])
def test_all_kernels_that_a_core_runs_go_into_one_file(name: str, tmp_path: Path) -> None:
    core = CORES[name]
    compiler = f"{core.cross}gcc"
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    headers = sorted({r.header for d in OPS for r in d.kernels if r.needs in core.isa})
    assert len(headers) > 20
    for file, text in kernel_files(headers).items():
        (tmp_path / file).write_text(text)
    unit = "".join(f'#include "{header}"\n' for header in headers) + "int tg_unit;\n"
    (tmp_path / "unit.c").write_text(unit)
    flags = [*core.flags, *next(iter(core.fpus.values()))]
    command = [compiler, "-std=c99", "-ffreestanding", "-fsyntax-only", *flags, *WARNINGS, "unit.c"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
