"""tg_mve.h: its plain C is what Helium's instructions are defined to compute, one for each step."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from firmware_tests.kernels.harness import SANITIZERS, WARNINGS
from firmware_tests.kernels.test_simd import ARM, write_headers

needs_arm = pytest.mark.skipif(shutil.which(ARM) is None, reason=f"needs {ARM}")

# What is made of two vectors of bytes, a and b, and how many of what size.
BYTES, HALVES, WORDS = "<i1", "<i2", "<i4"
OPERATIONS = {
    "tg_add_s32x4(a32, b32)": WORDS,
    "tg_max_s32x4(a32, b32)": WORDS,
    "tg_min_s32x4(a32, b32)": WORDS,
    "tg_doubling_high_mul_s32x4(a32, b32)": WORDS,
    "tg_saturating_shift_s32x4(a32, shifts)": WORDS,
    "tg_saturating_shift_by_s32x4(a32, 9)": WORDS,
    "tg_saturating_shift_by_s32x4(a32, -9)": WORDS,
    "tg_add_scaled_s32x4(a32, b32, -77777)": WORDS,
    "tg_sign_s32x4(a32)": WORDS,
    "tg_high_byte_s32x4(a32)": WORDS,
    "tg_even_s16x8(a16)": WORDS,
    "tg_odd_s16x8(a16)": WORDS,
    "tg_load_first_s8_s32x4(bytes, 3)": WORDS,
    "tg_add_s16x8(a16, b16)": HALVES,
    "tg_max_s16x8(a16, b16)": HALVES,
    "tg_min_s16x8(a16, b16)": HALVES,
    "tg_abs_s16x8(b16)": HALVES,
    "tg_high_mul_u16x8(tg_abs_s16x8(b16), 51234)": HALVES,
    "tg_shift_right_s16x8(a16, 5)": HALVES,
    "tg_with_sign_s16x8(a16, b16)": HALVES,
    "tg_mul_even_s8x16(a8, b8)": HALVES,
    "tg_mul_odd_s8x16(a8, b8)": HALVES,
    "tg_load_first_s8_s16x8(bytes, 5)": HALVES,
    "tg_max_s8x16(a8, b8)": BYTES,
    "tg_min_s8x16(a8, b8)": BYTES,
    "tg_load_first_s8x16(bytes, 11)": BYTES,
    "tg_high_bytes_s32x4(a32, b32, tg_sign_s32x4(a32), shifts)": BYTES,
}

HEAD = """
#include <stdio.h>
#include "tg_mve.h"

int main(void)
{
    int8_t bytes[32];
    while (fread(bytes, 1, 32, stdin) == 32) {
        tg_s8x16 a8, b8;
        tg_s16x8 a16, b16;
        tg_s32x4 a32, b32, shifts;
        memcpy(&a8, bytes, 16), memcpy(&a16, bytes, 16), memcpy(&a32, bytes, 16);
        memcpy(&b8, bytes + 16, 16), memcpy(&b16, bytes + 16, 16), memcpy(&b32, bytes + 16, 16);
        for (int i = 0; i < 4; ++i) {
            shifts.lane[i] = b32.lane[i] % 32;
        }
"""


def evaluated(a: npt.NDArray[np.int8], b: npt.NDArray[np.int8]) -> dict[str, npt.NDArray[np.int64]]:
    """Each of ``OPERATIONS`` by its definition, for rows of 16 bytes."""
    (a8, a16, a32), (b8, b16, b32) = (
        [v.view(kind).astype(np.int64) for kind in (BYTES, HALVES, WORDS)] for v in (a, b)
    )

    def wrapped(values: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int64]:
        return np.asarray((values + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1))

    def shifted(values: npt.NDArray[np.int64], by: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        moved = np.where(by < 0, values >> np.maximum(-by, 0), values << np.maximum(by, 0))
        return np.clip(moved, -(2**31), 2**31 - 1)

    shifts = np.fmod(b32, 32)
    high = np.stack([v >> 24 for v in (a32, b32, a32 >> 31, shifts)], axis=2)
    results = (
        wrapped(a32 + b32, 32),
        np.maximum(a32, b32),
        np.minimum(a32, b32),
        np.minimum((a32 * b32 + 2**30) >> 31, 2**31 - 1),
        shifted(a32, shifts),
        shifted(a32, np.array(9)),
        shifted(a32, np.array(-9)),
        wrapped(a32 + b32 * -77777, 32),
        a32 >> 31,
        a32 >> 24,
        a16[:, 0::2],
        a16[:, 1::2],
        np.pad(a8[:, :3], ((0, 0), (0, 1))),
        wrapped(a16 + b16, 16),
        np.maximum(a16, b16),
        np.minimum(a16, b16),
        np.abs(b16),
        np.abs(b16) * 51234 >> 16,
        a16 >> 5,
        wrapped(np.where(b16 < 0, -a16, a16), 16),
        a8[:, 0::2] * b8[:, 0::2],
        a8[:, 1::2] * b8[:, 1::2],
        np.pad(a8[:, :5], ((0, 0), (0, 3))),
        np.maximum(a8, b8),
        np.minimum(a8, b8),
        np.pad(a8[:, :11], ((0, 0), (0, 5))),
        high.reshape(len(a), 16),
    )
    return dict(zip(OPERATIONS, results, strict=True))


def drawn(rng: np.random.Generator, rows: int) -> npt.NDArray[np.int8]:
    """Rows of 16 bytes: extremes of each width first, then any."""
    extremes = np.array([0x80000000, 0x7FFFFFFF, 0, 0xFFFFFFFF, 0x80807F7F, 0x7FFF8001], "<u4")
    words = rng.integers(0, 1 << 32, (rows, 4), dtype=np.uint32)
    words[: rows // 4] = rng.choice(extremes, (rows // 4, 4))
    return words.astype("<u4").view(np.int8)


def test_the_plain_c_is_what_the_instructions_are_defined_to_compute(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    a, b = drawn(rng, 2000), drawn(rng, 2000)
    b[(b.view(HALVES) == -(2**15)).any(axis=1)] //= 2  # tg_abs_s16x8 excludes it
    writes = "".join(
        f"        {{ const tg_s{8 * size}x{16 // size} y = {operation};\n"
        "        fwrite(&y, sizeof y, 1, stdout); }\n"
        for operation, kind in OPERATIONS.items()
        for size in (np.dtype(kind).itemsize,)
    )
    write_headers(tmp_path, "tg_mve.h")
    (tmp_path / "main.c").write_text(f"{HEAD}{writes}    }}\n    return 0;\n}}\n")
    command = ["cc", "-std=c99", "-O1", *WARNINGS, *SANITIZERS, "main.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    data = np.concatenate([a, b], axis=1).tobytes()
    done = subprocess.run([tmp_path / "main"], input=data, capture_output=True, check=True)
    got = np.frombuffer(done.stdout, np.int8).reshape(len(a), len(OPERATIONS), 16)
    for index, (operation, want) in enumerate(evaluated(a, b).items()):
        mine = np.ascontiguousarray(got[:, index]).view(OPERATIONS[operation])
        assert np.array_equal(mine, want), operation


@needs_arm
@pytest.mark.parametrize(
    ("operation", "mnemonics"),
    [
        ("tg_add_s32x4(a, b)", "vadd.i32"),
        ("tg_doubling_high_mul_s32x4(a, b)", "vqrdmulh.s32"),
        ("tg_saturating_shift_s32x4(a, b)", "vqshl.s32"),
        ("tg_saturating_shift_by_s32x4(a, n)", "vqshl.s32"),
        ("tg_add_scaled_s32x4(a, b, n)", "vmla.s32"),
        ("tg_sign_s32x4(a)", "vshr.s32"),
        ("tg_even_s16x8(vreinterpretq_s16_s32(a))", "vmovlb.s16"),
        ("tg_odd_s16x8(vreinterpretq_s16_s32(a))", "vmovlt.s16"),
        (
            "vreinterpretq_s32_s8(tg_high_bytes_s32x4(a, a, b, b))",
            "vsri.32 vsri.32 vsri.32",
        ),
    ],
)
def test_an_operation_is_the_instruction_it_is_named_after(
    tmp_path: Path, operation: str, mnemonics: str
) -> None:
    write_headers(tmp_path, "tg_mve.h")
    (tmp_path / "unit.c").write_text(
        '#include "tg_mve.h"\n'
        f"tg_s32x4 tg_unit(tg_s32x4 a, tg_s32x4 b, int32_t n);\n"
        f"tg_s32x4 tg_unit(tg_s32x4 a, tg_s32x4 b, int32_t n)\n"
        f"{{\n    (void)b, (void)n;\n    return {operation};\n}}\n"
    )
    command = [ARM, "-mcpu=cortex-m55", "-mfloat-abi=hard", "-mthumb", "-std=c99", "-O2"]
    run = subprocess.run(
        [*command, *WARNINGS, "-S", "-o", "-", "unit.c"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = [line.split("@")[0].split() for line in run.stdout.splitlines()]
    names = [w[0] for w in words if w and w[0][0] == "v" and not w[0].startswith("vmov\t")]
    assert [n for n in names if n != "vmov"] == mnemonics.split()


@needs_arm
@pytest.mark.parametrize(("core", "builds"), [("cortex-m33", False), ("cortex-m55", True)])
def test_kernels_for_helium_stop_builds_without_it(tmp_path: Path, core: str, builds: bool) -> None:
    write_headers(tmp_path, "tg_matmul_s8_mve.h")
    (tmp_path / "unit.c").write_text('#include "tg_matmul_s8_mve.h"\nint tg_unit;\n')
    command = [ARM, f"-mcpu={core}", "-mfloat-abi=hard", "-mthumb", "-std=c99", "-c", "unit.c"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) == builds
    assert ("lack it" in run.stderr) != builds
