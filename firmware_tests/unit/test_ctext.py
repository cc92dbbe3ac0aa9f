"""Whatever a model calls its tensors, the C stays C."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_tests.models.hostile import HOSTILE
from tinygen import ctext
from tinygen.resources import data_dir


@pytest.mark.parametrize("name", HOSTILE)
def test_an_identifier_is_always_a_short_c_identifier(name: str) -> None:
    found = ctext.identifier(name)
    assert found.isidentifier()
    assert found.isascii()
    assert len(found) <= 42
    assert found not in ("int", "main", "string")


@given(st.text())
def test_a_comment_never_ends_early_nor_continues_a_line(text: str) -> None:
    found = ctext.comment(text)
    assert not set(found) & set('\n\r\\"')
    assert "*/" not in found
    assert "/*" not in found
    assert "??" not in found
    assert found.isascii()
    assert len(found) <= 100


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_compile_inside_comments_and_strings(text: str, tmp_path: Path) -> None:
    source = tmp_path / "name.c"
    safe = ctext.comment(text)
    source.write_text(
        f'/* {safe} */\nconst char *const {ctext.identifier(text)}_name = "{safe}";\n'
    )
    flags = ["-std=c99", "-trigraphs", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run(["cc", *flags, "-c", str(source), "-o", str(tmp_path / "name.o")], check=True)


@given(st.integers(-(2**31), 2**31 - 1))
def test_integer_literals_read_back(value: int) -> None:
    text = ctext.literal(value)
    assert text == "INT32_MIN" if value == -(2**31) else int(text) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float_literals_are_exact(value: float) -> None:
    text = ctext.literal(value)
    assert text.endswith("f")
    assert np.float32(text[:-1]) == np.float32(value)


def test_long_arrays_wrap_within_the_line_width() -> None:
    text = ctext.array("weights", np.arange(-100, 100, dtype=np.int8))
    assert text.startswith("const int8_t weights[200] = {\n    -100, -99,")
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32", "float64"])
def test_arrays_hold_the_bytes_that_they_were_given(dtype: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    if dtype.startswith("float"):
        values = rng.normal(size=50).astype(dtype)
        values[:5] = np.inf, -np.inf, np.nan, -np.nan, -0.0
    else:
        info = np.iinfo(dtype)
        values = rng.integers(info.min, info.max, 50, dtype=dtype, endpoint=True)
        values[:2] = info.min, info.max
    source = tmp_path / "array.c"
    source.write_text(
        "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n"
        + ctext.array("values", values)
        + "int main(void) { return fwrite(values, 1, sizeof values, stdout) != sizeof values; }\n"
    )
    program = tmp_path / "array"
    subprocess.run(
        ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", str(source), "-o", str(program)],
        check=True,
    )
    assert subprocess.run([program], capture_output=True, check=True).stdout == values.tobytes()


def test_no_model_hides_a_header_of_the_firmware() -> None:
    names = [f.name for f in (data_dir("templates") / "firmware").iterdir()]
    headers = {n.removesuffix(".j2").removesuffix(".h") for n in names if ".h" in n}
    assert {"app", "protocol", "timer"} <= headers
    for header in headers:
        assert ctext.identifier(header) != header
