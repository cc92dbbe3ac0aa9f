"""The command line: help everywhere, one line per error, exit codes that a program can trust."""

import errno
import json
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from firmware_tests.models.writer import to_tflite
from tinygen.board import Framework
from tinygen.board.file import load_board
from tinygen.cli import main
from tinygen.firmware.target import App
from tinygen.ir import DType, Graph, QuantParams, Tensor
from tinygen.ops.quantize import Quantize

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
COMMANDS = tuple(main.commands)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_all_its_options(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
    options = [p for p in main.commands[command].params if isinstance(p, click.Option)]
    for option in options:
        assert option.opts[0] in result.output
        assert option.help, f"{option.name} has no help"


def test_boards_lists_every_board_and_shows_one_in_full() -> None:
    listed = json.loads(run("boards", "--json").output)
    assert {b["core"] for b in listed} >= {
        "host",
        "cortex-m0",
        "cortex-m3",
        "cortex-m4",
        "cortex-m7",
        "cortex-m33",
        "cortex-m55",
    }
    one = json.loads(run("boards", "microbit", "--json").output)
    assert one["flash_bytes"] == 256 * 1024
    assert "microbit" in run("boards", "microbit").output
    flags = load_board("mps2-an386").cflags
    assert " ".join(flags) in run("boards", "mps2-an386").output


def test_an_unknown_board_is_an_input_error_with_a_suggestion() -> None:
    result = run("boards", "mps2-an38")
    assert result.exit_code == 2
    assert "unknown board 'mps2-an38'" in result.stderr
    assert "mps2-an38" in result.stderr.split("hint")[1]


def test_inspect_shows_layers_and_sums() -> None:
    result = run("inspect", DIGITS)
    assert result.exit_code == 0
    assert "CONV_2D" in result.stdout
    facts = json.loads(run("inspect", DIGITS, "--json").stdout)
    assert facts["supported"]
    assert facts["macs"] == sum(layer["macs"] for layer in facts["layers"])
    assert facts["activation_bytes"] > 0
    assert facts["inputs"][0]["scale"]


@pytest.mark.parametrize("command", ["inspect", "generate", "test", "bench"])
@pytest.mark.parametrize("content", [b"", b"not a model", DIGITS.read_bytes()[:5000]])
def test_a_malformed_model_is_one_error_and_leaves_nothing_behind(
    command: str, content: bytes, tmp_path: Path
) -> None:
    model = tmp_path / "broken.tflite"
    model.write_bytes(content)
    out = tmp_path / "out"
    arguments: list[object] = [command, model]
    if command != "inspect":
        arguments += ["--board", "native"]
    if command == "generate":
        arguments += ["-o", out]
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: broken.tflite")
    assert result.stdout == ""
    assert not out.exists()


def test_under_json_an_error_is_json_too() -> None:
    result = run("boards", "mps2-an38", "--json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["kind"] == "BoardError"
    assert "mps2-an38" in error["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json",),
        ("nonsense", "--json"),
        ("boards", "one", "two", "--json"),
        ("boards", "pico", "--detect", "--json"),
        ("build", "absent", "--json"),
        ("test", DIGITS, "--json"),
        ("test", DIGITS, "--board", "native", "--max-flash", "-1", "--json"),
        ("generate", DIGITS, "--board", "native", "-o", "out", "--json"),
    ],
)
def test_under_json_wrong_usage_is_one_json_value_too(arguments: tuple[object, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["message"]
    assert "Error: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("mps2-an386", "--port", "x", "--runner", "qemu"), "--port is for", "or --runner"),
        (("mps2-an386", "--no-flash"), "--no-flash is for a board on a", "leave --no-flash out"),
        (("native", "--probe", "stlink"), "--probe is for a board on a", "leave --probe out"),
        (("nucleo_f446re", "--runner", "native"), "'native' does not have", "qemu, renode"),
        (("nucleo_l4r5zi", "--runner", "qemu"), "'qemu' does not have", "it has: renode"),
        (("mps2-an386", "--port", "socket://h:1"), "nothing to upload to", "--no-flash if"),
        (("native", "--app", "mlperf-tiny"), "does not speak tinygen's", "tinygen generate"),
    ],
)
def test_choices_that_do_not_go_together_are_refused_before_anything_is_built(
    arguments: tuple[str, ...], message: str, hint: str
) -> None:
    result = run("test", DIGITS, "--board", *arguments)
    assert result.exit_code == 2
    words, _, advice = result.stderr.partition("hint: ")
    assert message in words and hint in advice
    assert "generating" not in result.stderr


def test_an_unknown_board_is_corrected_to_a_name_that_boards_lists() -> None:
    assert "did you mean 'nucleo_f446re'?" in run("boards", "nucleo_f446r").stderr


def test_the_next_command_can_be_pasted(tmp_path: Path) -> None:
    out = tmp_path / "it's mine"
    words = run("generate", DIGITS, "--board", "native", "-o", out).stdout
    assert shlex.split(words.splitlines()[-1])[-1] == str(out)


def test_the_command_of_a_dry_run_can_be_pasted(tmp_path: Path) -> None:
    out = tmp_path / "my board"
    run("generate", DIGITS, "--board", "esp32dev", "-o", out)
    result = run("flash", out, "--dry-run", "--port", "/dev/ttyUSB0")
    assert result.stdout == (
        f"cd '{out}' && pio run -e esp32dev -t upload --upload-port /dev/ttyUSB0\n"
    )


def test_a_full_disk_is_one_error_in_words_and_in_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr("tinygen.inspect.inspect_file", full)
    (tmp_path / "x.tflite").touch()
    result = run("inspect", tmp_path / "x.tflite", "--json")
    assert result.exit_code == 2
    assert "No space left on device" in json.loads(result.stdout)["error"]["message"]
    assert "error: " in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["é", "int", "__x", "Two Words", "tg_conv", "string"])
def test_a_name_that_c_cannot_have_is_refused_with_one_that_it_can(name: str) -> None:
    result = run("test", DIGITS, "--board", "native", "--name", name)
    assert result.exit_code == 2
    assert "cannot prefix C names" in result.stderr


def test_a_negative_seed_is_a_usage_error() -> None:
    assert run("test", DIGITS, "--board", "native", "--seed", "-1").exit_code == 2


def test_a_model_too_large_for_the_board_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    sizes = QuantParams((0.5,), (0,))
    x = Tensor("x", (1, 20000), DType.INT8, sizes)
    y = Tensor("y", (1, 20000), DType.INT8, QuantParams((0.25,), (0,)))
    model = tmp_path / "wide.tflite"
    model.write_bytes(to_tflite(Graph("wide", (x,), (y,), (Quantize("y", (x,), (y,)),))))
    out = tmp_path / "out"
    result = run("generate", model, "--board", "microbit", "-o", out)
    assert result.exit_code == 1
    assert "arena needs 20,000 bytes of RAM, 5,664 more than" in result.stderr
    assert "peak" in result.stderr
    assert not out.exists()


def test_generate_into_an_empty_directory_keeps_that_directory(tmp_path: Path) -> None:
    out = tmp_path / "mounted"
    out.mkdir()
    before = out.stat().st_ino
    assert run("generate", DIGITS, "--board", "native", "-o", out).exit_code == 0
    assert out.stat().st_ino == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mounted"]
    link = tmp_path / "link"
    (tmp_path / "target").mkdir()
    link.symlink_to(tmp_path / "target")
    assert run("generate", DIGITS, "--board", "native", "-o", link).exit_code == 0
    assert link.is_symlink()
    assert (tmp_path / "target" / "tinygen.json").is_file()


def test_a_missing_model_is_a_usage_error() -> None:
    assert run("inspect", "absent.tflite").exit_code == 2


def test_generate_refuses_to_overwrite_what_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    result = run("generate", DIGITS, "--board", "native", "-o", tmp_path)
    assert result.exit_code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_generate_takes_a_name(tmp_path: Path) -> None:
    result = run("generate", DIGITS, "--board", "native", "-o", tmp_path / "p", "--name", "reader")
    assert result.exit_code == 0, result.output
    assert "void reader_invoke(void);" in (tmp_path / "p/lib/reader/reader.h").read_text()


def test_vectors_of_another_model_are_an_input_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", in0=np.zeros((1, 3), np.int8), out0=np.zeros((1, 3), np.int8))
    result = run("test", DIGITS, "--board", "native", "--vectors", tmp_path / "v.npz")
    assert result.exit_code == 2
    assert "asks for int8" in result.stderr


def test_the_options_offer_every_framework_and_application() -> None:
    offered = {
        o.name: o.type for o in main.commands["generate"].params if isinstance(o.type, click.Choice)
    }
    assert set(offered["framework"].choices) == {f.value for f in Framework}
    assert set(offered["app"].choices) == {a.value for a in App}
