"""tg_short_requant.h equals the reference on every accumulator that a layer can reach."""

import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from firmware_tests.kernels.harness import SANITIZERS, WARNINGS
from firmware_tests.kernels.test_depthwise_conv2d import plain
from firmware_tests.kernels.weighted import scales_apart
from tinygen.emit import kernel_files
from tinygen.ir import Activation
from tinygen.ops.convolution import bias_values, requantized
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.depthwise_slide import layer_of
from tinygen.ops.short_requant import Form, ShortLayer
from tinygen.ops.twist import convolution_scaling

CHANNELS = 3

# Reads EACH accumulators of one channel after the other; writes a byte for each.
PROGRAM = """
#include <stdio.h>
#include "tg_short_requant.h"

static const int32_t constants[] = {CONSTANTS};

static int32_t held[EACH];
static int8_t outputs[EACH];

int main(void)
{
    const tg_short_output output = {FIELDS};
    for (const int32_t *c = constants; fread(held, sizeof held, 1, stdin) == 1;
         c += tg_short_words(&output)) {
        for (int32_t i = 0; i < EACH; ++i) {
            outputs[i] = tg_short_s8(&output, held[i], c);
        }
        fwrite(outputs, sizeof outputs, 1, stdout);
    }
    return 0;
}
"""

CASES = (
    plain("relu", 1, channels=CHANNELS, activation=Activation.RELU),
    plain("signed", 5, channels=CHANNELS),
    scales_apart(plain("relu6_apart", 8, channels=CHANNELS, activation=Activation.RELU6)),
    scales_apart(plain("signed_apart", 5, channels=CHANNELS)),
)


def run_c(folder: Path, layer: ShortLayer, accumulators: npt.NDArray[np.int32]) -> bytes:
    """The header's outputs for ``accumulators`` [channels, n]."""
    for name, text in kernel_files(["tg_short_requant.h"]).items():
        (folder / name).write_text(text)
    words = ", ".join(str(word) for word in layer.constants().reshape(-1))
    fields = ", ".join(f".{name} = {value}" for name, value in layer.fields())
    text = PROGRAM.replace("CONSTANTS", words).replace("FIELDS", fields)
    (folder / "main.c").write_text(text.replace("EACH", str(accumulators.shape[1])))
    command = ["cc", "-std=c99", "-O1", *WARNINGS, *SANITIZERS, "main.c", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    data = accumulators.astype("<i4").tobytes()
    done = subprocess.run([folder / "main"], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("form", list(Form), ids=lambda form: form.name)
@pytest.mark.parametrize("op", CASES, ids=lambda op: op.y.name)
def test_the_output_is_the_references(tmp_path: Path, op: DepthwiseConv2D, form: Form) -> None:
    layer = layer_of(op, form)
    assert layer is not None
    weights = layer.weights
    start = bias_values(op, CHANNELS) - op.x.zero_point * weights.sum(axis=1)
    low = start + np.minimum(-128 * weights, 127 * weights).sum(axis=1)
    high = start + np.maximum(-128 * weights, 127 * weights).sum(axis=1)
    every = low[:, None] + np.arange((high - low).max() + 1)
    every = np.minimum(every, high[:, None])
    held = (every + (layer.start - start)[:, None]).astype(np.int32)
    scaling = convolution_scaling(op)
    want = requantized(op, every.T.astype(np.int32), scaling).T
    got = np.frombuffer(run_c(tmp_path, layer, held), np.int8).reshape(want.shape)
    assert np.array_equal(got, want)


def test_the_cases_take_every_order_of_constants() -> None:
    words: dict[Form, set[int]] = {form: set() for form in Form}
    for form, op in product(Form, CASES):
        layer = layer_of(op, form)
        assert layer is not None
        words[form].add(layer.constants().shape[1])
    assert words == {Form.HIGH_WORD: {2, 3, 4}, Form.SPLIT: {3, 4, 5, 6}}
