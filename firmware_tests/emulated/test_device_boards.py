"""Firmware on every board that runs here: right outputs, and every way to fail told."""

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firmware_tests.models import samples
from firmware_tests.models.residual import SHA256, residual_program
from firmware_tests.tiers import Prove
from tinygen import reference
from tinygen.board import Board
from tinygen.board.file import all_boards, load_board
from tinygen.build.image import build
from tinygen.compile import Options
from tinygen.emit import ArenaKind
from tinygen.errors import DeviceError, ToolError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.instances import Optimize
from tinygen.run.device import Device, Expected
from tinygen.run.link import Link, Patience, RunOptions
from tinygen.run.runners import RUNNERS, open_device, runner_for
from tinygen.run.symbols import address_words
from tinygen.vectors import draw_vectors

pytestmark = pytest.mark.emulated

FIRMWARE = Expected(model_sha256=SHA256)
SHORT = RunOptions(patience=Patience(boot_s=10.0, reply_s=0.5, invoke_s=1.0, retries=2))
EMULATED = [b for b in all_boards() if b.runner == "qemu"]
RUN_HERE = [b for b in all_boards() if b.runner in ("native", "qemu")]
ONE_OF_EACH = pytest.mark.parametrize("board", ["microbit", "qemu-rv32imc", "qemu-lx106"])
KINDS = [(o, a) for o in Optimize for a in ArenaKind]


def broken_image(
    board: Board, directory: Path, statement: str, *, emulated: bool | None = None
) -> Path:
    """Firmware whose inference is one statement of C."""
    target = choose_target(board)
    if emulated is not None:
        target = replace(target, emulated=emulated)
    write_project(residual_program(board), target, directory)
    file = directory / "src" / "device" / "firmware_model.c"
    text = file.read_text()
    assert "residual_invoke();" in text
    file.write_text(text.replace("residual_invoke();", statement))
    return build(directory).image


@pytest.mark.parametrize("board", RUN_HERE, ids=lambda b: b.name)
@pytest.mark.parametrize(("optimize", "arena"), KINDS, ids=lambda k: k.value)
def test_outputs_and_traces_equal_the_reference(
    board: Board, optimize: Optimize, arena: ArenaKind, tmp_path: Path, prove: Prove
) -> None:
    program = residual_program(board, Options(optimize=optimize, arena=arena))
    write_project(program, choose_target(board), tmp_path / "p")
    graph = program.graph
    with open_device(board, build(tmp_path / "p").image, FIRMWARE) as device:
        # What was sent while the machine still started may be cut.
        damaged = device.status().damaged_frames
        for inputs in draw_vectors(graph, 3, seed=1).inputs:
            values = reference.evaluate(graph, inputs)
            found = device.trace(inputs)
            for got, tensor in zip(found.outputs, graph.outputs, strict=True):
                assert np.array_equal(got, values[tensor])
            want = [zlib.crc32(values[s.op.y].tobytes()) for s in program.layers]
            assert list(found.layers) == want
        assert device.identity.arena_bytes == program.memory.arena_bytes
        assert device.identity.board == board.name
        assert [t.shape for t in device.inputs] == [t.shape for t in graph.inputs]
        assert [t.scale for t in device.outputs] == pytest.approx([t.scale for t in graph.outputs])
        assert len(device.counters(inputs).layers) == len(program.layers)
        status = device.status()
        assert status.damaged_frames == damaged <= 1
        if board.layout is not None:
            assert 0 < status.stack_used < status.stack_bytes == board.layout.stack_bytes
            prove(board.name, "emulated")


@pytest.mark.parametrize("board", EMULATED, ids=lambda b: b.name)
def test_inputs_arrive_whole_by_wire_and_by_file(board: Board, tmp_path: Path) -> None:
    program = residual_program(board)
    write_project(program, choose_target(board), tmp_path / "p")
    inputs = draw_vectors(program.graph, 1, seed=4).inputs[0]
    want = reference.run(program.graph, inputs)
    with open_device(board, build(tmp_path / "p").image, FIRMWARE) as device:
        blobs = [x.tobytes() for x in inputs]
        assert device._link.shared is not None
        for requests in (
            device._write_requests(blobs),
            device._load_requests(blobs, device._link.shared),
        ):
            device._exchange.ask(requests)
            device.reset()  # which proves that the next run has nothing left of this one
            assert np.array_equal(device.run(inputs).outputs[0], want[0])


@pytest.mark.parametrize("board", EMULATED, ids=lambda b: b.name)
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            """
            #if defined(__arm__)
            __asm volatile("udf #0");
            #elif defined(__riscv)
            __asm volatile("unimp");
            #else
            __asm volatile("ill");
            #endif
            """,
            "crashed: (HardFault|illegal instruction).* at firmware_invoke",
        ),
        (
            """
            #if defined(__arm__) && __ARM_ARCH == 6
            *(volatile uint32_t *)0xB0000000u = 1u;
            #else
            *(volatile uint32_t *)0xF0000000u = 1u;
            #endif
            """,
            "crashed: (HardFault|store access fault|bus address error)",
        ),
        (
            "volatile uint8_t b[10240]; for (unsigned i = sizeof(b); i-- > 0u;) { b[i] = 1; }",
            "crashed: .*(stack|HardFault$)",
        ),
        ("for (;;) { }", "no answer to INVOKE within"),
        ("extern void wire_write(uint8_t); for (;;) { wire_write(0x55u); }", "no answer to INVOKE"),
        (
            "extern void wire_write(uint8_t);"
            " for (unsigned i = 0;; i += 7u) { wire_write((uint8_t)i); }",
            "damaged frames arrived",
        ),
        ("extern void platform_reset(void); platform_reset();", "started again"),
    ],
    ids=["undefined", "bus", "stack", "hang", "noise", "garbage", "reset"],
)
def test_firmware_that_fails_is_one_error(
    board: Board, statement: str, message: str, tmp_path: Path
) -> None:
    image = broken_image(board, tmp_path / "p", statement)
    with (
        pytest.raises(DeviceError, match=message),
        open_device(board, image, FIRMWARE, options=SHORT) as device,
    ):
        device.run(draw_vectors(samples.residual(), 1, 0).inputs[0])


@pytest.mark.parametrize("name", ["mps2-an505", "mps3-an547"])
def test_a_place_that_an_overflow_has_kept_from_being_stacked_is_not_made_up(
    name: str, tmp_path: Path
) -> None:
    deeper = "static int depth; if (depth >= 0) { ++depth; firmware_invoke(); --depth; }"
    board = load_board(name)
    image = broken_image(board, tmp_path / "p", deeper)
    with (
        pytest.raises(DeviceError, match=r"crashed: HardFault \(stack overflow\)$"),
        open_device(board, image, FIRMWARE, options=SHORT) as device,
    ):
        device.run(draw_vectors(samples.residual(), 1, 0).inputs[0])


@pytest.mark.parametrize("board", EMULATED, ids=lambda b: b.name)
def test_firmware_on_a_desk_that_has_crashed_tells_whoever_asks_later(
    board: Board, tmp_path: Path
) -> None:
    """Built as for a board, which nothing ends when it crashes."""
    image = broken_image(board, tmp_path / "p", "__builtin_trap();", emulated=False)
    message = r"crashed: .* at .*, called from \w"

    def device(link: Link) -> Device:
        return Device(link, SHORT.patience, lambda address: address_words(image, address))

    with (
        pytest.raises(DeviceError, match=message),
        runner_for(board).open(board, image) as link,
    ):
        first = device(link)
        assert not first.connect(FIRMWARE).emulated
        with pytest.raises(DeviceError, match=message):
            first.run(draw_vectors(samples.residual(), 1, 0).inputs[0])
        device(link).connect(FIRMWARE)


@pytest.mark.parametrize(
    ("statement", "message"),
    [("abort();", "SIGABRT"), ("for (;;) { }", "no answer to INVOKE"), ("exit(5);", "status 5")],
)
def test_a_native_program_that_fails_is_one_error(
    statement: str, message: str, tmp_path: Path
) -> None:
    board = load_board("native")
    image = broken_image(board, tmp_path / "p", f"extern void abort(void), exit(int); {statement}")
    with (
        pytest.raises(DeviceError, match=message),
        open_device(board, image, FIRMWARE, options=SHORT) as device,
    ):
        device.run(draw_vectors(samples.residual(), 1, 0).inputs[0])


@ONE_OF_EACH
def test_an_image_that_is_none_is_one_error(board: str, tmp_path: Path) -> None:
    """QEMU takes it for a raw image: some cores lock up, the others run on in silence."""
    image = tmp_path / "firmware.elf"
    image.write_text("no ELF file, and longer than a kernel's header would be" * 8)
    short = RunOptions(patience=replace(SHORT.patience, boot_s=1.0))
    with (
        pytest.raises(DeviceError, match=r"QEMU ended|no answer to IDENTIFY"),
        open_device(load_board(board), image, options=short),
    ):
        pass


# Xtensa's sim machine runs without an image as well, and is silent.
@pytest.mark.parametrize("board", ["microbit", "qemu-rv32imc"])
def test_an_image_that_is_missing_ends_with_what_qemu_says(board: str, tmp_path: Path) -> None:
    with (
        pytest.raises(DeviceError, match=r"QEMU ended(.|\n)*firmware.elf"),
        open_device(load_board(board), tmp_path / "firmware.elf", options=SHORT),
    ):
        pass


@ONE_OF_EACH
def test_a_missing_emulator_is_named(
    board: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program = load_board(board).core.qemu
    with pytest.raises(ToolError, match=f"{program} is not installed"):
        runner_for(load_board(board))


def test_every_board_has_a_runner() -> None:
    assert {b.runner for b in all_boards()} <= set(RUNNERS)
