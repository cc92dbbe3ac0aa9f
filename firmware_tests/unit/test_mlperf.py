"""MLPerf Tiny: which models can be which benchmark, and how the firmware writes numbers."""

import ctypes
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tests.kernels.harness import SANITIZERS, WARNINGS
from firmware_tests.kernels.tensors import plain
from firmware_tests.models import parts, samples
from tinygen.cli import main
from tinygen.errors import UnsupportedError
from tinygen.firmware.files import DTYPE_CODES
from tinygen.firmware.mlperf import BENCHMARKS, wire
from tinygen.firmware.target import App
from tinygen.ir import Array, DType, Graph, Tensor
from tinygen.ops.logistic import Logistic

FIRMWARE = Path(__file__).parents[2] / "templates" / "firmware"


def model(
    x: Tensor | None = None, y: Tensor | None = None, shape: tuple[int, ...] = (1, 4, 5, 3)
) -> Graph:
    """One operator between two tensors; what it computes does not matter here."""
    x, y = x or parts.activation("x", shape), y or parts.activation("y", shape)
    return Graph("model", (x,), (y,), (Logistic("y", (x,), (y,)),))


def test_every_benchmark_has_its_name_and_its_bytes() -> None:
    found = {app: wire("model", model(), app) for app in App if app is not App.DEVICE}
    assert {w.model for w in found.values()} == {"model", "ad01", "ic01", "kws01", "vww01"}
    facts = {app: (w.buffer_bytes, w.flip, w.staged_bytes) for app, w in found.items()}
    assert facts == {
        App.MLPERF_TINY: (60, 0, 0),
        App.MLPERF_TINY_AD: (240, 0, 60),
        App.MLPERF_TINY_IC: (60, 0x80, 0),
        App.MLPERF_TINY_KWS: (60, 0, 0),
        App.MLPERF_TINY_VWW: (60, 0x80, 0),
    }


def test_inputs_that_are_what_the_runner_sends_stay_as_they_are() -> None:
    pixels = model(Tensor("x", (1, 4), DType.UINT8, parts.activation("q", (1,)).quant))
    assert wire("model", pixels, App.MLPERF_TINY_IC).flip == 0
    floats = model(plain("x", (1, 4), DType.FLOAT32), plain("y", (1, 4), DType.FLOAT32))
    found = wire("model", floats, App.MLPERF_TINY_AD)
    assert (found.buffer_bytes, found.staged_bytes) == (16, 16)


@pytest.mark.parametrize(
    ("graph", "app", "message"),
    [
        (samples.add, App.MLPERF_TINY_IC, "2 inputs and 1 outputs"),
        (samples.residual, App.MLPERF_TINY_KWS, "1 inputs and 3 outputs"),
        (lambda: model(plain("x", (4,), DType.FLOAT32)), App.MLPERF_TINY_KWS, "not int8"),
        (lambda: model(plain("x", (4,), DType.INT8)), App.MLPERF_TINY_VWW, "not int8 or uint8"),
        (lambda: model(y=parts.activation("y", (7,))), App.MLPERF_TINY_AD, "60 inputs .* not 7"),
    ],
)
def test_a_model_that_cannot_be_the_benchmark_is_refused(
    graph: Callable[[], Graph], app: App, message: str
) -> None:
    with pytest.raises(UnsupportedError, match=message) as caught:
        wire("model", graph(), app)
    assert BENCHMARKS[app].title in caught.value.message
    assert "--app mlperf-tiny" in caught.value.hint


def test_the_command_line_offers_every_application_and_refuses_the_wrong_one(
    tmp_path: Path,
) -> None:
    runner, file = CliRunner(), FIRMWARE.parents[1] / "examples" / "digits" / "digits.tflite"
    command = ["generate", str(file), "--board", "native", "-o", str(tmp_path / "p"), "--app"]
    for app in App:
        result = runner.invoke(main, [*command, app.value])
        if app is App.MLPERF_TINY_AD:
            assert result.exit_code == 2
            assert "its result compares 64 inputs with as many outputs, not 10" in result.stderr
        else:
            assert result.exit_code == 0, result.stderr
            assert json.loads((tmp_path / "p" / "tinygen.json").read_text())["app"] == app.value
            names = {f.name for f in (tmp_path / "p" / "src" / "device").iterdir()}
            assert ("protocol.c" in names, "mlperf.c" in names) == (
                app is App.DEVICE,
                app is not App.DEVICE,
            )


PRINTER = """
#include <stdio.h>
#include <string.h>

#include "mlperf_text.h"
#include "uart.h"

void wire_write(uint8_t byte)
{
    putchar(byte);
}

int main(void)
{
    float value;
    while (fread(&value, sizeof(value), 1, stdin) == 1) {
        text_put_decimal(value);
        text_put("\\n");
    }
    return 0;
}
"""


def test_decimals_are_rounded_as_printf_does(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs cc")
    source, program = tmp_path / "printer.c", tmp_path / "printer"
    source.write_text(PRINTER)
    command = [
        compiler, "-std=c99", "-O1", *WARNINGS, *SANITIZERS, f"-I{FIRMWARE}",
        str(source), str(FIRMWARE / "mlperf_text.c"), "-o", str(program),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=60)
    rng = np.random.default_rng(12)
    ties = np.arange(-4000, 4000) / np.float32(16)  # 1/16 and its odd multiples end in ...5
    limits = [0, -0.0, 1, -1, 0.0005, 0.9995, 0.9994999, 999.9995, 1e-45, 1.2e-38, 3.4028235e38]
    limits += [np.inf, -np.inf, np.nan]
    anything = rng.integers(0, 1 << 32, 20_000, dtype=np.uint32).view(np.float32)
    likely = rng.uniform(-2, 2, 20_000)
    with np.errstate(invalid="ignore"):
        floats = np.concatenate(
            [ties, limits, anything, likely], dtype=np.float32, casting="unsafe"
        )
    done = subprocess.run(
        [str(program)], input=floats.tobytes(), capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().split("\n")[:-1] == [f"{float(value):.3f}" for value in floats]


class ModelTensor(ctypes.Structure):
    """The ``model_tensor`` of firmware_model.h."""

    _fields_ = (
        ("dims", ctypes.c_void_p),
        ("bytes", ctypes.c_uint32),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int32),
        ("rank", ctypes.c_uint8),
        ("dtype", ctypes.c_uint8),
        ("quantized", ctypes.c_bool),
    )


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """mlperf_tensor.c as a library of this computer."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs cc")
    library = tmp_path_factory.mktemp("tensors") / "tensors.so"
    sources = [str(FIRMWARE / "mlperf_tensor.c"), "-lm", "-o", str(library)]
    command = [compiler, "-std=c99", "-O1", *WARNINGS, "-fPIC", "-shared", *sources]
    subprocess.run(command, check=True, timeout=60)
    loaded = ctypes.CDLL(str(library))
    loaded.tensor_value.restype = ctypes.c_float
    loaded.tensor_store.argtypes = (
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_float,
    )  # fmt: skip
    return loaded


def described(dtype: DType, data: Array, quantized: tuple[float, int] | None) -> ModelTensor:
    scale, zero_point = quantized or (0.0, 0)
    code = DTYPE_CODES.index(dtype)
    return ModelTensor(None, data.nbytes, scale, zero_point, 1, code, quantized is not None)


@pytest.mark.parametrize("quantized", [None, (0.0371, -7)], ids=["plain", "quantized"])
@pytest.mark.parametrize("dtype", DType, ids=lambda d: d.value)
def test_elements_of_every_type_have_their_value(
    tensors: ctypes.CDLL, dtype: DType, quantized: tuple[float, int] | None
) -> None:
    if dtype in (DType.FLOAT32, DType.BOOL, DType.INT64, DType.UINT32, DType.UINT64):
        quantized = None
    rng = np.random.default_rng(13)
    if dtype is DType.FLOAT32:
        data = rng.normal(0, 1e3, 500).astype(np.float32)
    elif dtype is DType.BOOL:
        data = rng.integers(0, 2, 500).astype(np.bool_)
    else:
        limits = np.iinfo(dtype.numpy)
        data = rng.integers(limits.min, limits.max, 500, dtype.numpy, endpoint=True)
        data[:2] = limits.min, limits.max
    tensor = described(dtype, data, quantized)
    assert tensors.tensor_elements(ctypes.byref(tensor)) == 500
    pointer = data.ctypes.data_as(ctypes.c_void_p)
    found = [tensors.tensor_value(ctypes.byref(tensor), pointer, i) for i in range(500)]
    if dtype is DType.FLOAT32:
        assert found == data.tolist()
        return
    scale, zero_point = quantized or (1.0, 0)
    steps = [int(v) - zero_point for v in data]
    want = np.array(steps, np.float32) * np.float32(scale)
    # Above 32 bits, the last bit of a float may differ.
    np.testing.assert_allclose(found, want, rtol=2**-23 if dtype.size > 4 else 0)


def test_values_are_quantized_to_nearest_and_clamped(tensors: ctypes.CDLL) -> None:
    values = np.array([0, 0.24, 0.25, -0.25, 0.75, 55, 56, -80, 1e30, -1e30, np.inf, np.nan])
    values = values.astype(np.float32)
    stored = np.zeros(len(values), np.int8)
    tensor = described(DType.INT8, stored, (0.5, 10))
    for i, value in enumerate(values):
        tensors.tensor_store(ctypes.addressof(tensor), stored.ctypes.data, i, float(value))
    assert stored.tolist()[:-1] == [10, 10, 11, 9, 12, 120, 122, -128, 127, -128, 127]
    floats = np.zeros(len(values), np.float32)
    tensor = described(DType.FLOAT32, floats, None)
    for i, value in enumerate(values):
        tensors.tensor_store(ctypes.addressof(tensor), floats.ctypes.data, i, float(value))
    np.testing.assert_array_equal(floats, values)
