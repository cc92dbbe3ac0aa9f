"""Firmware in the real Renode, where it is installed: right outputs, and the counts QEMU has."""

import os
import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firmware_tests.models import samples
from firmware_tests.models.residual import residual_program
from tinygen import reference
from tinygen.board import Board
from tinygen.board.file import all_boards, load_board
from tinygen.build.image import build
from tinygen.errors import DeviceError, ToolError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.isa import Isa
from tinygen.run.link import Patience, RunOptions
from tinygen.run.qemu import QemuRunner
from tinygen.run.renode import find_renode
from tinygen.run.renode_counting import HOOKS
from tinygen.run.runners import open_device
from tinygen.run.session import Session
from tinygen.vectors import draw_vectors

RENODE = RunOptions(runner="renode")
BOARDS = [b for b in all_boards() if b.renode and b.bare]


def missing() -> str:
    """Why nothing here can run; empty if it can."""
    try:
        find_renode()
    except ToolError as error:
        return error.message
    return ""


pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(bool(missing()), reason=missing() or "Renode is here"),
]


def built(board: Board, directory: Path, statement: str = "residual_invoke();") -> Path:
    """The image of firmware whose inference is ``statement``."""
    write_project(
        residual_program(board), choose_target(board, "bare").in_runner("renode"), directory
    )
    file = directory / "src" / "device" / "firmware_model.c"
    text = file.read_text()
    assert "residual_invoke();" in text
    file.write_text(text.replace("residual_invoke();", statement))
    return build(directory).image


def skip_helium(board: Board, error: ToolError) -> None:
    """Only a Renode that is too old for the board's instructions may refuse it."""
    assert Isa.MVE in board.core.isa, error
    pytest.skip(error.message)


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.name)
def test_outputs_and_traces_equal_the_reference(board: Board, tmp_path: Path) -> None:
    program, image = residual_program(board), built(board, tmp_path / "a project")
    graph = program.graph
    try:
        with open_device(board, image, options=RENODE) as device:
            assert device.identity.board == board.name
            assert not device.identity.emulated
            for inputs in draw_vectors(graph, 2, seed=1).inputs:
                values = reference.evaluate(graph, inputs)
                found = device.trace(inputs)
                for got, tensor in zip(found.outputs, graph.outputs, strict=True):
                    assert np.array_equal(got, values[tensor])
                want = [zlib.crc32(values[s.op.y].tobytes()) for s in program.layers]
                assert list(found.layers) == want
            status = device.status()
    except ToolError as error:
        skip_helium(board, error)
    assert board.layout is not None
    assert status.damaged_frames == 0
    assert 0 < status.stack_used < status.stack_bytes == board.layout.stack_bytes


@pytest.mark.parametrize("board", [b for b in BOARDS if b.qemu], ids=lambda b: b.name)
def test_renode_and_qemu_count_the_same_instructions(board: Board, tmp_path: Path) -> None:
    if reason := QemuRunner().available(board):
        pytest.skip(reason)
    program, image = residual_program(board), built(board, tmp_path / "p")
    vectors = draw_vectors(program.graph, 3, seed=2).inputs
    work = tmp_path / 'it\'s "ü"'
    work.mkdir()
    session = Session(program, board, image, work, options=RENODE)
    try:
        renode = session.run(vectors).counts
    except ToolError as error:
        skip_helium(board, error)
    qemu_image = qemu_built(board, tmp_path / "q")
    qemu = replace(session, image=qemu_image, work=tmp_path, options=RunOptions(runner="qemu"))
    counts = qemu.run(vectors).counts
    assert renode is not None and counts is not None
    assert renode.method == HOOKS
    assert (renode.instructions, renode.fewest, renode.most) == (
        counts.instructions, counts.fewest, counts.most,
    )  # fmt: skip
    assert [x.instructions for x in renode.layers] == [x.instructions for x in counts.layers]


def qemu_built(board: Board, directory: Path) -> Path:
    """The image that ends QEMU by itself."""
    write_project(
        residual_program(board), choose_target(board, "bare").in_runner("qemu"), directory
    )
    return build(directory).image


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ('__asm volatile("udf #0");', r"crashed: .* at firmware_invoke"),
        ("((void (*)(void))0x60000001u)();", r"crashed: .*CPU abort \[PC=0x60000000\]"),
        ("for (;;) { }", "no answer to INVOKE within"),
    ],
    ids=["undefined", "nowhere", "hang"],
)
def test_firmware_that_fails_is_one_error(statement: str, message: str, tmp_path: Path) -> None:
    board = load_board("nucleo_f446re")
    image = built(board, tmp_path / "p", statement)
    short = replace(RENODE, patience=Patience(invoke_s=2.0, reply_s=1.0, retries=2))
    with (
        pytest.raises(DeviceError, match=message),
        open_device(board, image, options=short) as device,
    ):
        device.run(draw_vectors(samples.residual(), 1, 0).inputs[0])


def test_an_image_that_is_none_is_refused_in_renodes_words(tmp_path: Path) -> None:
    image = tmp_path / "firmware.elf"
    image.write_text("no ELF file")
    with (
        pytest.raises(DeviceError, match=r"Renode refused 'include (.|\n)*ELF"),
        open_device(load_board("nucleo_f446re"), image, options=RENODE),
    ):
        pass


@pytest.mark.skipif(shutil.which("renode-test") is None, reason="renode-test is not installed")
def test_the_projects_own_suite_passes(tmp_path: Path) -> None:
    board = load_board("nucleo_f446re")
    built(board, tmp_path / "p")
    done = subprocess.run(
        ["renode-test", "-r", str(tmp_path / "results"), "renode/firmware.robot"],
        # Renode deletes what is called renode-* there.
        env=os.environ | {"TMPDIR": str(tmp_path)},
        cwd=tmp_path / "p", capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall("Finished test .*OK", done.stdout)) == 3
