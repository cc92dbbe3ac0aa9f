"""The Renode runner against a stand-in for Renode, and the files that it gives to Renode."""

import os
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from firmware_tests import renode_standin
from firmware_tests.models import samples
from firmware_tests.models.residual import residual_program
from tinygen import reference
from tinygen.board import Board, Register, Renode
from tinygen.board.cores import CORES
from tinygen.board.file import all_boards, load_board
from tinygen.build.image import build
from tinygen.errors import BoardError, DeviceError, TinygenError, ToolError
from tinygen.firmware.project import write_project
from tinygen.firmware.renode import platform_text, renode_files
from tinygen.firmware.target import choose_target
from tinygen.run.frames import decode_frame
from tinygen.run.link import Patience, RunOptions
from tinygen.run.protocol import LayerMode, Message
from tinygen.run.renode import RenodeRunner, find_renode, free_port, renode_command
from tinygen.run.renode_counting import Hooks, collect_hooks, parse_passed, spent_per_inference
from tinygen.run.runners import RUNNERS, open_device
from tinygen.run.session import Session
from tinygen.vectors import draw_vectors

NATIVE = replace(load_board("native"), renode=Renode("platforms/standin.repl", "usart1"))
BOARDS = [b for b in all_boards() if b.renode]
OPTIONS = RunOptions(runner="renode", patience=Patience(boot_s=5.0, reply_s=0.5))

Standin = Callable[..., Path]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Firmware for this computer, in a directory with a blank in its name."""
    directory = tmp_path_factory.mktemp("with blank")
    program = residual_program(load_board("native"))
    write_project(program, choose_target(load_board("native")), directory / "p")
    return build(directory / "p").image


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Standin:
    """Make the stand-in Renode; the call gives the file with what it was told."""

    def install(fault: str = "") -> Path:
        # As Renode's own launcher is: a shell script, and the program its child.
        launcher = tmp_path / "renode launcher"
        program = shlex.join([sys.executable, renode_standin.__file__])
        launcher.write_text(f'#!/bin/sh\n{program} "$@"\nexit $?\n')
        launcher.chmod(0o755)
        monkeypatch.setenv("RENODE", str(launcher))
        monkeypatch.setenv("STANDIN_FAULT", fault)
        monkeypatch.setenv("STANDIN_RECORD", str(tmp_path / "record"))
        return tmp_path / "record"

    return install


def noted(record: Path, word: str) -> str:
    """What the stand-in recorded after ``word``."""
    found = re.search(rf"^{word} (.*)$", record.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def assert_nothing_is_left(record: Path) -> None:
    """Neither the process, which may still be a zombie of init's, nor its files."""
    status = Path(f"/proc/{noted(record, 'pid')}/stat")
    deadline = monotonic() + 10.0
    while status.exists() and " Z " not in status.read_text():
        assert monotonic() < deadline, "the stand-in still runs"
        sleep(0.01)
    assert not Path(noted(record, "TMPDIR")).exists()


def test_a_session_computes_what_the_reference_computes(image: Path, standin: Standin) -> None:
    record = standin()
    graph = samples.residual()
    with open_device(NATIVE, image, options=OPTIONS) as device:
        for inputs in draw_vectors(graph, 3, seed=5).inputs:
            want = reference.run(graph, inputs)
            found = device.run(inputs, LayerMode.CRC)
            assert all(np.array_equal(a, b) for a, b in zip(found.outputs, want, strict=True))
    assert_nothing_is_left(record)


def test_a_session_of_a_program_runs_without_counts(
    image: Path, standin: Standin, tmp_path: Path
) -> None:
    standin()
    graph = samples.residual()
    program = residual_program(NATIVE)
    vectors = draw_vectors(graph, 2, seed=6).inputs
    run = Session(program, NATIVE, image, tmp_path, options=OPTIONS).run(vectors)
    assert run.counts is None and run.measured is None
    for got, inputs in zip(run.outputs, vectors, strict=True):
        want = reference.run(graph, inputs)
        assert all(np.array_equal(a, b) for a, b in zip(got, want, strict=True))


def test_the_machine_is_set_up_before_it_starts(image: Path, standin: Standin) -> None:
    record = standin()
    options = replace(OPTIONS, arguments=("sysbus.cpu AddHook 0x10 'pass'",))
    with RenodeRunner().open(NATIVE, image, options):
        pass
    told = [
        line for line in record.read_text().splitlines() if line and not line.startswith("echo")
    ]
    steps = (
        "version",
        "logLevel 3",
        'include ".*/renode/board.resc"',
        "  machine LoadPlatformDescription @platforms/standin.repl",
        "    +sysbus LoadELF \\$image",
        r'emulation CreateServerSocketTerminal \d+ "tinygen" false',
        "connector Connect sysbus.usart1 tinygen",
        'include ".*/commands.resc"',
        "  sysbus.cpu AddHook 0x10 'pass'",
        "start",
        "quit",
    )
    places = [next(i for i, line in enumerate(told) if re.fullmatch(step, line)) for step in steps]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("die", r"Renode ended with status 3\n  \[ERROR\] no runtime here$"),
        ("die at start", r"Renode ended with status 3\n  \[ERROR\] out of breath$"),
        ("die in the middle", r"Renode ended with status 3\n  \[ERROR\] out of memory$"),
        ("refuse include", r"Renode refused 'include .*board.resc\"'\n(.|\n)*Error E26"),
        ("refuse connector", "Renode refused 'connector .*'\n  No such command"),
        ("busy for ever", "Address already in use"),
        ("impostor", "is not Renode: it says 'Renode, version none"),
        ("abort", r"the firmware crashed: Renode says: CPU abort \[PC=0x6010100\]"),
    ],
)
def test_a_renode_that_fails_is_one_error_with_its_words(
    fault: str, message: str, image: Path, standin: Standin
) -> None:
    record = standin(fault)
    with (
        pytest.raises(DeviceError, match=message),
        open_device(NATIVE, image, options=OPTIONS) as device,
    ):
        device.run(draw_vectors(samples.residual(), 1, seed=0).inputs[0])
    assert_nothing_is_left(record)


@pytest.mark.parametrize(
    ("fault", "start_s", "message"),
    [
        ("mute", 1.0, "Renode did not open its monitor within 1 s"),
        ("deaf", 4.0, "Renode's monitor on port .* did not answer within 4 s"),
        ("no terminal", 4.0, "cannot connect to socket://127.0.0.1"),
    ],
)
def test_a_renode_that_is_silent_is_given_up(
    fault: str, start_s: float, message: str, image: Path, standin: Standin
) -> None:
    record = standin(fault)
    runner = RenodeRunner(start_s=start_s)
    with pytest.raises(DeviceError, match=message), runner.open(NATIVE, image):
        pass
    assert_nothing_is_left(record)


def test_a_uart_port_that_is_taken_is_replaced(image: Path, standin: Standin) -> None:
    record = standin("busy once")
    with open_device(NATIVE, image, options=OPTIONS):
        pass
    assert record.read_text().count("CreateServerSocketTerminal") == 2


def test_a_renode_that_does_not_quit_is_killed(image: Path, standin: Standin) -> None:
    record = standin("stubborn")
    with RenodeRunner(end_s=0.2).open(NATIVE, image):
        pass
    assert_nothing_is_left(record)


def test_a_session_that_fails_leaves_no_renode_behind(image: Path, standin: Standin) -> None:
    record = standin()
    with pytest.raises(KeyboardInterrupt), RenodeRunner().open(NATIVE, image):
        raise KeyboardInterrupt
    assert_nothing_is_left(record)


def test_helium_needs_a_newer_renode(image: Path, standin: Standin) -> None:
    record = standin("old")
    board = replace(NATIVE, core=CORES["cortex-m55"])
    with (
        pytest.raises(ToolError, match=r"Renode 1\.15\.3 lacks Helium(.|\n)*1\.17 or newer"),
        RenodeRunner().open(board, image),
    ):
        pass
    assert_nothing_is_left(record)


def test_renode_is_found_by_variable_and_on_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "renode"
    monkeypatch.delenv("RENODE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"renode is not installed\n(.|\n)*renode\.io"):
        find_renode()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_renode() == program
    monkeypatch.setenv("RENODE", str(tmp_path / "other"))
    with pytest.raises(ToolError, match=r"RENODE names '.*other', which is no program"):
        find_renode()


def test_the_runner_says_why_it_is_not_available(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runner = RUNNERS["renode"]
    assert "has no [renode]" in (runner.available(load_board("native")) or "")
    monkeypatch.delenv("RENODE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "renode is not installed; unpack" in (runner.available(NATIVE) or "")


def test_a_program_that_cannot_run_is_one_error(
    image: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "renode"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    monkeypatch.setenv("RENODE", str(program))
    with (
        pytest.raises(DeviceError, match=r"cannot run .*renode|failed to execute .*renode"),
        RenodeRunner().open(NATIVE, image),
    ):
        pass


def test_renode_keeps_its_files_to_the_session() -> None:
    command = renode_command(Path("/opt/renode"), 4711, Path("/session"))
    assert command == [
        "/opt/renode", "--disable-gui", "--plain", "--config", "/session/renode.config",
        "--port", "4711",
    ]  # fmt: skip
    assert 0 < free_port() < 1 << 16


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.name)
def test_every_board_with_renode_has_a_machine(board: Board) -> None:
    assert board.renode is not None
    files = renode_files(board, "build/firmware.elf")
    script = files["renode/board.resc"]
    assert "$image?=$ORIGIN/../build/firmware.elf" in script
    if board.renode.platform:
        assert f"@{board.renode.platform}\n" in script
        assert "renode/board.repl" not in files
        return
    assert "$ORIGIN/board.repl\n" in script
    platform = files["renode/board.repl"]
    for region in board.regions:
        line = f"{region.name}: Memory.MappedMemory @ sysbus 0x{region.origin:08X}\n"
        assert f"{line}    size: 0x{region.size:X}\n" in platform
    assert board.uart is not None
    assert re.search(rf"^{board.renode.uart}: UART\.\w+ @ sysbus <?0x", platform, re.MULTILINE)
    assert f"0x{board.uart.origin:08X}" in platform


def test_registers_of_the_setup_read_what_is_waited_for() -> None:
    board = load_board("nucleo_f446re")
    steps = (
        Register(0x4002_1000, 0, 0x100, 0x400, "RCC_CR: start it"),
        Register(0x4002_1000, 0, 0x1, 0x2, "RCC_CR: and the other"),
        Register(0x4800_0000, 0x3, 0x2, 0, 'GPIO "A": a pin'),
    )
    text = platform_text(replace(board, setup=steps))
    assert text.endswith(
        "sysbus:\n    init:\n"
        '        Tag <0x40021000, 0x40021003> "RCC_CR" 0x00000402\n'
        "        Tag <0x48000000, 0x48000003> \"GPIO 'A'\" 0x00000000\n"
    )


def test_a_board_without_renode_has_no_files() -> None:
    assert renode_files(load_board("native"), "build/firmware") == {}


def test_what_renode_has_no_model_of_is_refused() -> None:
    board = load_board("nucleo_f446re")
    assert board.uart is not None
    with pytest.raises(BoardError, match="no model of Xtensa LX106"):
        platform_text(replace(board, core=CORES["lx106"]))
    with pytest.raises(BoardError, match=r"no UART of Renode .* 'abacus'"):
        platform_text(replace(board, uart=replace(board.uart, driver="abacus")))
    with pytest.raises(BoardError, match=r"\[renode\] needs \[uart\]"):
        platform_text(replace(board, uart=None))


def test_the_suite_asks_the_firmwares_first_question() -> None:
    suite = renode_files(load_board("nucleo_f446re"), "build/firmware.elf")["renode/firmware.robot"]
    numbers = re.findall(r"0x([0-9A-F]{2})\b", suite)
    request = bytes.fromhex("".join(numbers))
    assert request[0] == request[-1] == 0
    assert decode_frame(request[1:-1]).kind == Message.IDENTIFY
    assert bytes.fromhex(re.findall(r"\{ANSWER\} +([0-9A-F ]+)", suite)[0]) == b"nucleo_f446re"
    assert re.findall(r"^.\{BANNER\} +(.*)", suite, re.MULTILINE) == [
        r"^tinygen [^ ]+: [^ ]+ on nucleo_f446re"
    ]


def test_firmware_without_the_protocol_has_no_suite() -> None:
    files = renode_files(load_board("nucleo_f446re"), "build/firmware.elf", suite=False)
    assert sorted(files) == ["renode/board.repl", "renode/board.resc"]


# The dispatch at 0x10 calls layer 0 at 0x20 and a hook at 0x30, and ends by jumping to the hook.
HOOKS = Hooks(
    entry=0x10,
    regions={0x10: 0, 0x20: 1, 0x30: -1},
    returns={0x10: frozenset({0x99}), 0x20: frozenset({0x12}), 0x30: frozenset({0x14, 0x99})},
    layers=2,
    output=Path("unused"),
)
INFERENCE = ((0x10, 0), (0x20, 3), (0x12, 103), (0x30, 104), (0x14, 114), (0x30, 120), (0x99, 130))


def passes(start: int) -> str:
    return "".join(f"{address:x} {start + executed};" for address, executed in INFERENCE)


def test_instructions_belong_to_the_innermost_function() -> None:
    text = f"30 7;99 9;{passes(1000)}30 5000;14 5009;{passes(9000)}10 9900;20 9901;"
    counted = spent_per_inference(HOOKS, parse_passed(text))
    assert counted == [{0: 3 + 1 + 6, 1: 100}] * 2


def test_counts_are_means_of_all_inferences(tmp_path: Path) -> None:
    hooks = replace(HOOKS, output=tmp_path / "counts")
    assert collect_hooks(hooks, 2) is None
    hooks.output.write_text(passes(0) + passes(500))
    counts = collect_hooks(hooks, 2)
    assert counts is not None
    assert (counts.instructions, counts.fewest, counts.most, counts.cycles) == (110, 110, 110, None)
    assert [layer.instructions for layer in counts.layers] == [100, None]
    with pytest.raises(DeviceError, match="2 inferences were counted, not the 3 that ran"):
        collect_hooks(hooks, 3)
    hooks.output.write_text(passes(0) + "10 5")
    with pytest.raises(TinygenError, match="cut short"):
        collect_hooks(hooks, 1)


def test_a_hook_is_told_its_file_whatever_its_name(tmp_path: Path) -> None:
    hooks = replace(HOOKS, output=tmp_path / 'it\'s "ü"')
    command = hooks.commands[0]
    assert command.startswith("sysbus.cpu AddHook 0x10 ")
    name = re.findall(r"u'((?:\\u[0-9a-f]{4})+)'", command)
    assert [n.encode().decode("unicode-escape") for n in name] == [str(hooks.output)]
    assert len(hooks.commands) == len({0x10, 0x20, 0x30, 0x99, 0x12, 0x14})
    assert os.linesep not in command
