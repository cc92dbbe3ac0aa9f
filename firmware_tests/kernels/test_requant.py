"""tg_requant.h and its numpy twin around every tie and saturation, with both multiplications."""

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from firmware_tests.kernels.harness import SANITIZERS, WARNINGS
from tinygen.emit import kernel_files
from tinygen.quant import (
    INT32_MAX,
    INT32_MIN,
    doubling_high_mul,
    multiply_by_quantized_multiplier,
    rounding_divide_by_pot,
)

Ints = npt.NDArray[np.int32]

# Reads records of (x, multiplier, shift), writes one result each.
PROGRAM = """
#include <stdio.h>
#include "tg_requant.h"

int main(void)
{
    int32_t record[3];
    while (fread(record, sizeof record, 1, stdin) == 1) {
        const int32_t x = record[0], multiplier = record[1], shift = record[2];
        const tg_output output = tg_make_output(RIGHT_ONLY, FULL_RANGE, ZERO_POINT, LOW, HIGH);
        const int32_t result = EXPRESSION;
        (void)multiplier;
        (void)shift;
        (void)output;
        fwrite(&result, sizeof result, 1, stdout);
    }
    return 0;
}
"""
MULTIPLICATIONS = ("", "TG_MULTIPLY_BY_HALVES")
ZERO_POINTS = (-128, 0, 127, -3)


def run_c(
    folder: Path,
    expression: str,
    records: Ints,
    multiplication: str,
    right_only: bool = False,
    zero_point: int = 0,
    clamp: tuple[int, int] = (-128, 127),
) -> Ints:
    """The value of ``expression`` for each record."""
    for name, text in kernel_files(["tg_requant.h"]).items():
        (folder / name).write_text(text)
    (folder / "main.c").write_text(PROGRAM)
    defines = {
        "EXPRESSION": expression,
        "RIGHT_ONLY": int(right_only),
        "FULL_RANGE": int(clamp == (-128, 127)),
        "ZERO_POINT": zero_point,
        "LOW": clamp[0],
        "HIGH": clamp[1],
    } | ({multiplication: 1} if multiplication else {})
    flags = [f"-D{name}={value}" for name, value in defines.items()]
    command = ["cc", "-std=c99", "-O1", *WARNINGS, *SANITIZERS, *flags, "main.c", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    data = records.astype("<i4").tobytes()
    done = subprocess.run(
        [folder / "main"], input=data, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, "<i4")


def records_near_ties(shifts: range, limit: int) -> Ints:
    """(x, multiplier, shift) whose results lie at and beside halves, with |x| <= ``limit``.

    Both roundings have ties: of the product in units of 2**31, and of the shift.
    """
    rng = np.random.default_rng(5)
    fixed = [1 << 30, (1 << 30) + 1, INT32_MAX, INT32_MAX - 1, 3 << 29]
    multipliers = fixed + [int(m) for m in rng.integers(1 << 30, 1 << 31, 7)]
    near = np.arange(-2, 3)
    edges = np.array([INT32_MIN, INT32_MAX, 1 << 30, -(1 << 30), (1 << 30) - 1, 0])
    rows = []
    for shift in shifts:
        for multiplier in multipliers:
            real = multiplier * 2.0 ** (shift - 31)
            halves = np.arange(-140, 141) + 0.5
            ties = np.concatenate([halves / real, halves * 2.0**31 / multiplier])
            x = np.concatenate([np.rint(ties)[:, None] + near, edges[:, None] + near], axis=None)
            x = x[np.abs(x) <= limit].astype(np.int64)
            rows.append(np.stack([x, np.full_like(x, multiplier), np.full_like(x, shift)], axis=1))
    return np.concatenate(rows).astype(np.int32)


@pytest.mark.parametrize("multiplication", MULTIPLICATIONS)
def test_the_high_word_rounds_halves_up(tmp_path: Path, multiplication: str) -> None:
    rng = np.random.default_rng(1)
    extremes = np.array([INT32_MIN, INT32_MIN + 1, -1, 0, 1, 0xFFFF, 0x10000, INT32_MAX])
    least = np.array([0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x10000, INT32_MAX - 1, INT32_MAX])
    a = np.concatenate([np.repeat(extremes, 8), rng.integers(INT32_MIN, INT32_MAX, 300_000)])
    b = np.concatenate([np.tile(least, 8), rng.integers(0, INT32_MAX, 300_000)])
    # Products whose lower half is at or next to the tie.
    odd = 2 * rng.integers(0, 1 << 30, 1000) + 1
    powers = 1 << rng.integers(0, 31, 1000)
    a, b = np.concatenate([a, odd, -odd, odd - 1]), np.concatenate([b, powers, powers, powers])
    records = np.stack([a, b, np.zeros_like(a)], axis=1).astype(np.int32)
    got = run_c(tmp_path, "tg_high_mul(x,multiplier)", records, multiplication)
    assert np.array_equal(got, (a * b + (1 << 31)) >> 32)
    doubled = run_c(tmp_path, "tg_doubling_high_mul(x,multiplier)", records, multiplication)
    assert np.array_equal(doubled, doubling_high_mul(a, b))


def test_the_rounding_shift_rounds_halves_away_from_zero(tmp_path: Path) -> None:
    shifts = np.arange(32)
    ties = np.concatenate([(1 << shifts) >> 1, (3 << shifts) >> 1, [0, INT32_MAX - 2]])
    x = np.concatenate([s * ties + d for s in (-1, 1) for d in (-1, 0, 1)])
    x = x[(x > INT32_MIN) & (x <= INT32_MAX)]
    x = np.append(x, INT32_MIN)
    records = np.array([(v, 0, s) for v in x for s in shifts], np.int32)
    got = run_c(tmp_path, "tg_rounding_shift_right(x,shift)", records, "")
    assert np.array_equal(got, rounding_divide_by_pot(records[:, 0], records[:, 2]))


@pytest.mark.parametrize("multiplication", MULTIPLICATIONS)
def test_requantization_is_its_numpy_twins(tmp_path: Path, multiplication: str) -> None:
    records = records_near_ties(range(-31, 31), INT32_MAX)
    got = run_c(tmp_path, "tg_requant(x,multiplier,shift)", records, multiplication)
    assert np.array_equal(got, multiply_by_quantized_multiplier(*records.T))


@pytest.mark.parametrize("clamp", [(-128, 127), (-100, 90)], ids=str)
@pytest.mark.parametrize("multiplication", MULTIPLICATIONS)
def test_the_short_way_is_the_long_way_within_its_limits(
    tmp_path: Path, multiplication: str, clamp: tuple[int, int]
) -> None:
    records = records_near_ties(range(-31, 0), (1 << 30) - 1)
    scaled = multiply_by_quantized_multiplier(*records.T).astype(np.int64)
    short = records.copy()
    short[:, 2] = -1 - records[:, 2]
    expression = "tg_output_s8(&output,x,multiplier,shift)"
    for zero_point in ZERO_POINTS:
        got = run_c(tmp_path, expression, short, multiplication, True, zero_point, clamp)
        assert np.array_equal(got, np.clip(scaled + zero_point, *clamp)), zero_point


def test_the_long_way_adds_the_zero_point_modulo_2_to_the_32(tmp_path: Path) -> None:
    records = records_near_ties(range(-2, 3), INT32_MAX)
    scaled = multiply_by_quantized_multiplier(*records.T).astype(np.int64)
    expression = "tg_output_s8(&output,x,multiplier,shift)"
    for zero_point in ZERO_POINTS:
        got = run_c(tmp_path, expression, records, "", False, zero_point)
        wrapped = (scaled + zero_point).astype(np.int32)
        assert np.array_equal(got, np.clip(wrapped, -128, 127)), zero_point
