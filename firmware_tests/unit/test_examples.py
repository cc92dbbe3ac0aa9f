"""The examples work as their READMEs say."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinygen import reference
from tinygen.frontend.tflite import read_model
from tinygen.ir import Numerics

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("numerics", Numerics, ids=lambda n: n.value)
def test_digits_gives_the_committed_answers(numerics: Numerics) -> None:
    model = EXAMPLES / "digits" / "digits.tflite"
    graph = read_model(model.read_bytes(), model.name, numerics)
    with np.load(EXAMPLES / "digits" / "digits_vectors.npz") as vectors:
        inputs, labels = vectors["in0"], vectors["labels"]
        expected = vectors["tflm0" if numerics is Numerics.TFLM else "out0"]
    outputs = np.stack([reference.run(graph, (image,))[0] for image in inputs])
    np.testing.assert_array_equal(outputs, expected)
    assert np.mean(outputs.reshape(len(labels), -1).argmax(axis=1) == labels) > 0.9


def test_embed_classifies_its_image(tmp_path: Path) -> None:
    make, compiler = shutil.which("make"), shutil.which("cc")
    if make is None or compiler is None:
        pytest.skip("needs make and cc")
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("build"))
    done = subprocess.run(
        [
            make,
            "--no-print-directory",
            "-C",
            str(folder / "embed"),
            f"TINYGEN={sys.executable} -m tinygen",
            "CFLAGS=-O1 -Wall -Wextra -Wconversion -Wshadow -Werror",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = done.stdout.splitlines()[-1]
    assert answer == "digit 3, probability 0.77"
    assert answer in (EXAMPLES / "embed" / "README.md").read_text()
