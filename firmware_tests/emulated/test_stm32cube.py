"""Generated STM32Cube applications, run on a stand-in for the HAL.

What this proves is the generated code: it compiles against the HAL's names without a warning, sets
up clocks and pins in order, and answers the host as firmware does.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from firmware_tests.sketch.building import HERE, behind_a_terminal, build_process
from firmware_tests.tiers import Prove
from tinygen.board import Board, Framework
from tinygen.board.file import all_boards
from tinygen.compile import Options
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.ir import Numerics
from tinygen.model import compile_loaded, load_model
from tinygen.run.device import Expected
from tinygen.run.link import Patience, RunOptions
from tinygen.run.runners import open_device
from tinygen.vectors import load_vectors

pytestmark = pytest.mark.emulated

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
CUBE = [b for b in all_boards() if Framework.STM32CUBE in b.frameworks]


@pytest.mark.parametrize("board", CUBE, ids=lambda b: b.name)
def test_an_stm32cube_application_gives_the_examples_outputs(
    board: Board, tmp_path: Path, prove: Prove
) -> None:
    if shutil.which("cc") is None or shutil.which("c++") is None:
        pytest.skip("there is no host compiler here")
    model = load_model(EXAMPLE / "digits.tflite", Numerics.TFLM)
    vectors = load_vectors(EXAMPLE / "digits_vectors.npz", model.graph, Numerics.TFLM)
    assert vectors.expected is not None
    target = choose_target(board, "stm32cube")
    write_project(compile_loaded(model, target, Options()), target, tmp_path)
    # PlatformIO's board files define the family.
    family = f"-D{board.mcu[:7]}"
    image = build_process(tmp_path, HERE / "stm32cube" / "cube_posix.c", [family])
    patience = Patience(boot_s=10.0, reply_s=5.0)
    with behind_a_terminal(image) as port:
        options = RunOptions(runner="serial", port=port, patience=patience)
        expected = Expected(model_sha256=model.sha256, board=board.name)
        with open_device(board, image, expected, options) as device:
            assert device.identity.framework == "stm32cube"
            for inputs, want in zip(vectors.inputs[:2], vectors.expected[:2], strict=True):
                got = device.run(inputs).outputs
                assert all(np.array_equal(a, b) for a, b in zip(got, want, strict=True))
            # A reset is a new start of the process: nothing is left, and it works again.
            device.reset()
            got = device.run(vectors.inputs[0]).outputs
            assert np.array_equal(got[0], vectors.expected[0][0])
    prove(board.name, "sketch", "stm32cube")
