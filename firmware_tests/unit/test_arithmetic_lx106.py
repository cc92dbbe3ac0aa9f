"""The arithmetic that the LX106's compiler leaves to the firmware, against this computer's own."""

import ctypes
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygen.resources import data_dir

I32, U32, I64, U64 = ctypes.c_int32, ctypes.c_uint32, ctypes.c_int64, ctypes.c_uint64
F32, F64 = ctypes.c_float, ctypes.c_double
DTYPES = {I32: "i4", U32: "u4", I64: "i8", U64: "u8", F32: "f4", F64: "f8"}
CASES = 4000


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The firmware's file as a library of this computer."""
    folder = tmp_path_factory.mktemp("arithmetic")
    source = data_dir("templates") / "firmware" / "arithmetic_lx106.c"
    (folder / "a.c").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    command = ["cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    subprocess.run([*command, "a.c", "-o", "a.so"], cwd=folder, check=True, timeout=60)
    return ctypes.CDLL(str(folder / "a.so"))


def numbers(ctype: Any, seed: int) -> list[Any]:
    """Random bit patterns, numbers of everyday size, subnormal and special ones."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(DTYPES[ctype])
    bits = rng.integers(0, 256, (CASES, dtype.itemsize), np.uint8).view(dtype).ravel()
    if dtype.kind != "f":
        shifted = bits >> rng.integers(0, 8 * dtype.itemsize, CASES, dtype)
        limits = [0, 1, np.iinfo(dtype).max, np.iinfo(dtype).min, 2, 3]
        return [int(x) for x in (*limits, *bits, *shifted)]
    near = (rng.integers(-1000, 1000, CASES) * 2.0 ** rng.integers(-40, 40, CASES)).astype(dtype)
    tiny = np.finfo(dtype).smallest_subnormal * rng.integers(0, 1 << 20, CASES).astype(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny]
    return [float(x) for x in (*special, *bits, *near, *tiny)]


def same(dtype: str, found: Any, wanted: Any) -> bool:
    a, b = np.array(found, dtype), np.array(wanted, dtype)
    if a.dtype.kind == "f" and np.isnan(b):
        return bool(np.isnan(a))
    return a.tobytes() == b.tobytes()


def check(
    library: ctypes.CDLL, name: str, types: tuple[Any, ...], result: Any, want: Callable[..., Any]
) -> None:
    function = getattr(library, name)
    function.argtypes, function.restype = types, result
    columns = [numbers(t, seed) for seed, t in enumerate(types, 7)]
    pairs = list(zip(*columns, strict=True)) + list(zip(*(c[:40] for c in columns), strict=True))
    if len(columns) == 2:  # every special one with every other, and with itself negated
        pairs += [(a, b) for a in columns[0][:7] for b in columns[1][:7]]
        pairs += [(a, -a) for a in columns[0] if types[0] in (F32, F64)]
    with np.errstate(all="ignore"):
        for values in pairs:
            arguments = [np.dtype(DTYPES[t]).type(v) for t, v in zip(types, values, strict=True)]
            wanted = want(*arguments)
            if wanted is None:
                continue
            found = function(*values)
            assert same(DTYPES[result], found, wanted), (name, values, found, wanted)


ARITHMETIC = {"add": np.add, "sub": np.subtract, "mul": np.multiply}


@pytest.mark.parametrize("operation", ARITHMETIC)
@pytest.mark.parametrize(("suffix", "ctype"), [("sf3", F32), ("df3", F64)])
def test_floating_point_is_rounded_as_ieee_754_says(
    library: ctypes.CDLL, operation: str, suffix: str, ctype: Any
) -> None:
    check(library, f"__{operation}{suffix}", (ctype, ctype), ctype, ARITHMETIC[operation])


def test_quotients_of_doubles_are_rounded_as_ieee_754_says(library: ctypes.CDLL) -> None:
    check(library, "__divdf3", (F64, F64), F64, np.divide)


def to_integer(ctype: Any) -> Callable[[Any], int | None]:
    """Towards zero; None where C leaves the result open."""
    limits = np.iinfo(DTYPES[ctype])

    def convert(x: Any) -> int | None:
        whole = int(x) if np.isfinite(x) else limits.max + 1
        return whole if limits.min <= whole <= limits.max else None

    return convert


@pytest.mark.parametrize(
    ("name", "source", "result"),
    [
        ("__floatsisf", I32, F32),
        ("__floatunsisf", U32, F32),
        ("__floatsidf", I32, F64),
        ("__floatunsidf", U32, F64),
        ("__fixunssfsi", F32, U32),
        ("__fixdfsi", F64, I32),
        ("__fixunsdfsi", F64, U32),
        ("__extendsfdf2", F32, F64),
        ("__truncdfsf2", F64, F32),
    ],
)
def test_conversions_are_those_of_c(
    library: ctypes.CDLL, name: str, source: Any, result: Any
) -> None:
    cast = np.dtype(DTYPES[result]).type if result in (F32, F64) else to_integer(result)
    check(library, name, (source,), result, cast)


def wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


def divided(a: Any, b: Any) -> int | None:
    """C's quotient; None where there is none, or where it does not fit."""
    most = np.iinfo(type(a)).max
    a, b = int(a), int(b)
    quotient = abs(a) // abs(b) if b else 0
    return None if not b or quotient > most else quotient if (a < 0) == (b < 0) else -quotient


@pytest.mark.parametrize(
    ("name", "ctype", "want"),
    [
        ("__muldi3", I64, lambda a, b: wrapped(int(a) * int(b))),
        ("__udivsi3", U32, lambda a, b: a // b if b else None),
        ("__umodsi3", U32, lambda a, b: a % b if b else None),
        ("__divsi3", I32, divided),
        ("__divdi3", I64, divided),
    ],
)
def test_integers_are_exact(
    library: ctypes.CDLL, name: str, ctype: Any, want: Callable[..., Any]
) -> None:
    check(library, name, (ctype, ctype), ctype, want)


def test_a_product_of_words_has_two(library: ctypes.CDLL) -> None:
    check(library, "__umulsidi3", (U32, U32), U64, lambda a, b: int(a) * int(b))


def test_a_division_by_zero_ends(library: ctypes.CDLL) -> None:
    assert getattr(library, "__umodsi3")(U32(7), U32(0)) == 7
