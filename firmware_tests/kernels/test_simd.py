"""tg_simd.h: its plain C is what the instructions compute, and compilers see through its loads."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from firmware_tests.kernels.harness import SANITIZERS, WARNINGS
from tinygen.emit import kernel_files

ARM = "arm-none-eabi-gcc"
needs_arm = pytest.mark.skipif(shutil.which(ARM) is None, reason=f"needs {ARM}")

# Reads (x, y, acc), writes what each instruction makes of them.
PROGRAM = """
#include <stdio.h>
#include "tg_simd.h"

int main(void)
{
    uint32_t in[3];
    while (fread(in, sizeof in, 1, stdin) == 1) {
        int8_t bytes[5] = {0};
        memcpy(bytes + 1, in, 4);
        const int32_t acc = (int32_t)in[2];
        const uint32_t out[] = {
            tg_load_4xs8(bytes + 1), tg_sxtb16(in[0]), tg_sxtb16_odd(in[0]),
            (uint32_t)tg_smlad(in[0], in[1], acc), (uint32_t)tg_smlabb(in[0], in[1], acc),
            (uint32_t)tg_smlatt(in[0], in[1], acc), (uint32_t)tg_saturated_half(acc),
            tg_sadd16(in[0], in[1]), tg_ssub16(in[0], in[1]),
            tg_pack_low(in[0], in[1]), tg_pack_high(in[0], in[1]),
            tg_rev16(in[0]), tg_sxtab16(in[1], in[0]), tg_sxtab16_odd(in[1], in[0]),
            tg_max_4xs8(in[0], in[1]),
        };
        fwrite(out, sizeof out, 1, stdout);
    }
    return 0;
}
"""


def write_headers(folder: Path, header: str) -> None:
    for name, text in kernel_files([header]).items():
        (folder / name).write_text(text)


def packed(halves: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Words of two int16 each."""
    return np.ascontiguousarray(halves.astype("<i2")).view("<i4")[:, 0]


def test_the_plain_c_is_what_the_instructions_compute(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    words = rng.integers(0, 1 << 32, (5000, 3), dtype=np.uint32)
    words[:500] = rng.choice(
        np.array([0, 0x80008000, 0x7FFF7FFF, 0x80808080, 511], "<u4"), (500, 3)
    )
    write_headers(tmp_path, "tg_simd.h")
    (tmp_path / "main.c").write_text(PROGRAM)
    command = ["cc", "-std=c99", "-O1", *WARNINGS, *SANITIZERS, "main.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    data = words.astype("<u4").tobytes()
    done = subprocess.run([tmp_path / "main"], input=data, capture_output=True, check=True)
    got = np.frombuffer(done.stdout, "<i4").reshape(-1, 15).T

    x_bytes = words[:, 0].astype("<u4").view(np.int8).reshape(-1, 4).astype("<i2")
    in_bytes = words[:, :2].astype("<u4").view(np.int8).reshape(-1, 2, 4)
    halves = words[:, :2].astype("<u4").view("<i2").reshape(-1, 2, 2).astype(np.int64)
    products = halves[:, 0] * halves[:, 1]
    acc = words[:, 2].view(np.int32).astype(np.int64)
    want = (
        words[:, 0].view(np.int32),
        np.ascontiguousarray(x_bytes[:, 0::2]).view("<i4")[:, 0],
        np.ascontiguousarray(x_bytes[:, 1::2]).view("<i4")[:, 0],
        (acc + products.sum(axis=1)).astype(np.int32),
        (acc + products[:, 0]).astype(np.int32),
        (acc + products[:, 1]).astype(np.int32),
        np.clip(acc >> 1, -128, 127),
        packed(halves[:, 0] + halves[:, 1]),
        packed(halves[:, 0] - halves[:, 1]),
        packed(halves[:, :, 0]),
        packed(halves[:, :, 1]),
        np.ascontiguousarray(words[:, 0].astype("<u4").view("<u2").byteswap()).view("<i4"),
        packed(halves[:, 1] + x_bytes[:, 0::2]),
        packed(halves[:, 1] + x_bytes[:, 1::2]),
        np.maximum(in_bytes[:, 0], in_bytes[:, 1]).view("<i4")[:, 0],
    )
    for mine, theirs in zip(got, want, strict=True):
        assert np.array_equal(mine, theirs)


@needs_arm
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"])
@pytest.mark.parametrize("flags", [(), ("-DTG_SIMD_ASSEMBLER",)], ids=["intrinsics", "assembler"])
def test_a_word_is_one_load_and_each_step_one_instruction(
    tmp_path: Path, core: str, flags: tuple[str, ...]
) -> None:
    write_headers(tmp_path, "tg_simd.h")
    (tmp_path / "dot.c").write_text(
        '#include "tg_simd.h"\n'
        "int32_t dot(const int8_t *x, int32_t acc)\n{\n"
        "    const uint32_t word = tg_load_4xs8(x);\n"
        "    return tg_smlad(tg_sxtb16(word), tg_sxtb16_odd(word), acc);\n}\n"
    )
    command = [ARM, f"-mcpu={core}", "-mthumb", "-std=c99", "-O2", "-ffreestanding", *WARNINGS]
    command += flags
    run = subprocess.run(
        [*command, "-S", "-o", "-", "dot.c"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split("@")[0].split() for line in run.stdout.splitlines()]
    code = [words[0] for words in lines if words and words[0][0] not in "." and words[0][-1] != ":"]
    assert sorted(code) == ["bx", "ldr", "smlad", "sxtb16", "sxtb16"]


@needs_arm
@pytest.mark.parametrize(("core", "builds"), [("cortex-m3", False), ("cortex-m4", True)])
def test_kernels_for_the_dsp_extension_stop_builds_without_it(
    tmp_path: Path, core: str, builds: bool
) -> None:
    write_headers(tmp_path, "tg_matmul_s8_dsp.h")
    (tmp_path / "unit.c").write_text('#include "tg_matmul_s8_dsp.h"\nint tg_unit;\n')
    command = [ARM, f"-mcpu={core}", "-mthumb", "-std=c99", "-c", "unit.c"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) == builds
    assert ("lack it" in run.stderr) != builds
