"""Named boards that QEMU knows, or knows a close relative of: the drivers are those of a desk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firmware_tests.models import samples
from firmware_tests.models.residual import SHA256, residual_program
from firmware_tests.tiers import Prove
from tinygen import reference
from tinygen.board import Board, Qemu
from tinygen.board.file import all_boards, load_board
from tinygen.build.image import build
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.run.device import Expected
from tinygen.run.link import RunOptions
from tinygen.run.runners import open_device
from tinygen.vectors import draw_vectors

pytestmark = pytest.mark.emulated

# QEMU's STM32F100 has the Blue Pill's core, USART1 and less RAM, which is enough here.
BLUEPILL = replace(load_board("bluepill_f103c8"), qemu=Qemu("stm32vldiscovery", ()))
BOARDS = [b for b in all_boards() if b.runner == "serial" and b.qemu is not None]
QEMU = RunOptions(runner="qemu")


@pytest.mark.parametrize("board", [*BOARDS, BLUEPILL], ids=lambda b: b.name)
def test_a_named_board_runs_in_qemu(board: Board, tmp_path: Path, prove: Prove) -> None:
    graph = samples.residual()
    program = residual_program(board)
    write_project(program, choose_target(board, "bare").in_runner("qemu"), tmp_path)
    image = build(tmp_path).image
    with open_device(board, image, Expected(model_sha256=SHA256), QEMU) as device:
        assert device.identity.board == board.name
        for inputs in draw_vectors(graph, 2, seed=7).inputs:
            want = reference.run(graph, inputs)
            got = device.run(inputs).outputs
            assert all(np.array_equal(a, b) for a, b in zip(got, want, strict=True))
    prove(board.name, "emulated")
