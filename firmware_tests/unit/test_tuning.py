"""A tuning file and the cache of measurements: what is told apart, and what is refused."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

from firmware_tests.models import samples
from tinygen.board.file import load_board
from tinygen.cli import main
from tinygen.compile import Options
from tinygen.emit import Program
from tinygen.errors import OptionError
from tinygen.firmware.target import choose_target
from tinygen.ir import Numerics
from tinygen.isa import Isa
from tinygen.model import Model, compile_loaded, load_model
from tinygen.ops.base import Call, Kernel
from tinygen.optimize import Optimize
from tinygen.passes import run_pipeline
from tinygen.select import candidates
from tinygen.tune import measure
from tinygen.tune.cache import Cache, Toolchain, key_of
from tinygen.tune.choose import layers_of
from tinygen.tune.file import TunedLayer, Tuning, TuningError, read_tuning, write_whole
from tinygen.tune.measure import Progress, emulated_board, tune

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
M4 = load_board("mps2-an386")


def digits() -> Model:
    return load_model(DIGITS, Numerics.TFLM)


def a_tuning(model: Model) -> Tuning:
    """The kernels that are chosen without tuning."""
    program = compile_loaded(model, choose_target(M4), Options())
    layers = tuple(
        TunedLayer(s.op.kind, "1 to 1", s.kernel.label, 1) for s in program.layers if s.kernel
    )
    return Tuning(model.sha256, "cortex-m4", "gcc 12", "tflm", "speed", layers)


def kernels(model: Model, tuning: Tuning, board: str = "mps2-an386") -> list[str]:
    target = choose_target(load_board(board))
    program = compile_loaded(model, target, Options(tuning=tuning))
    return [step.kernel.label for step in program.layers if step.kernel]


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    tuning = replace(a_tuning(digits()), compiler='gcc "12"\\\x07')
    file = tmp_path / "digits.tuning.toml"
    file.write_text(tuning.to_text(), encoding="utf-8")
    assert read_tuning(file) == replace(tuning, compiler="gcc 12", name=file.name)
    nothing = replace(tuning, compiler="", layers=())  # a model of views
    file.write_text(nothing.to_text(), encoding="utf-8")
    assert read_tuning(file) == replace(nothing, name=file.name)


def test_the_program_has_the_kernels_that_the_file_names() -> None:
    model = digits()
    tuning = a_tuning(model)
    slow = replace(tuning.layers[0], kernel="tg_conv2d_s8")
    changed = replace(tuning, layers=(slow, *tuning.layers[1:]))
    assert kernels(model, changed) == [layer.kernel for layer in changed.layers]
    assert tuning.digest != changed.digest


def test_a_file_of_any_name_is_named_in_words_that_can_be_printed(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.toml"))
    try:
        file.write_text(a_tuning(digits()).to_text(), encoding="utf-8")
    except OSError:
        pytest.skip("names are Unicode here")
    assert read_tuning(file).name == "\\udcff.toml"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_sha256": "00" * 32}, "is for another model"),
        ({"core": "cortex-m3"}, "is for cortex-m3, not cortex-m4"),
        ({"optimize": "balanced"}, "is for --optimize balanced, not speed"),
        ({"numerics": "litert"}, "is for --numerics litert, not tflm"),
        ({"layers": ()}, "has other layers"),
    ],
)
def test_a_file_for_something_else_is_one_error(change: dict[str, object], words: str) -> None:
    model = digits()
    alien = replace(a_tuning(model), name="old.toml", **change)  # type: ignore[arg-type]
    with pytest.raises(TuningError, match=f"^old.toml {words}") as error:
        kernels(model, alien)
    assert "tinygen tune" in error.value.hint


@pytest.mark.parametrize("kernel", ["tg_gone_s8", "tg_softmax_s8", "tg_conv2d_winograd_s8_dsp"])
def test_a_kernel_that_does_not_compute_the_layer_is_one_error(kernel: str) -> None:
    model = digits()
    tuning = a_tuning(model)
    layers = (replace(tuning.layers[0], kernel=kernel), *tuning.layers[1:])
    with pytest.raises(TuningError, match=f"wants '{kernel}' for layer 0"):
        kernels(model, replace(tuning, layers=layers))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("= 1", "is no tuning file"),
        ("x = " + "[" * 5000, "is no tuning file"),
        ("", "was written by another tinygen"),
        ("tuning_version = 1", "it has no 'model_sha256'"),
        ("tuning_version = 1\nmodel_sha256 = 3", "'model_sha256' is 3, not a text"),
        (
            'tuning_version = 1\nmodel_sha256 = ""\ncore = ""\ncompiler = ""\nnumerics = ""\n'
            'optimize = ""\nlayer = 3',
            "is no tuning file",
        ),
        (
            'tuning_version = 1\nmodel_sha256 = ""\ncore = ""\ncompiler = ""\nnumerics = ""\n'
            'optimize = ""\n[[layer]]\nop = ""\nshapes = ""\nkernel = ""\ncycles = "many"',
            "'cycles' is 'many'",
        ),
    ],
)
def test_a_file_that_is_none_is_one_error(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TuningError, match=r"x\.toml") as error:
        read_tuning(file)
    assert words in error.value.message


def test_a_key_tells_apart_all_that_the_figure_depends_on() -> None:
    chain = Toolchain("cortex-m4", "gcc 12", ("-mcpu=cortex-m4", "speed"))
    (op,) = samples.conv2d().ops
    rows = candidates(op, Isa.DSP)
    keys = [key_of(row, row.lower(op), chain) for row in rows]
    row, calls = rows[0], rows[0].lower(op)
    keys += [
        key_of(row, calls, replace(chain, core="cortex-m7")),
        key_of(row, calls, replace(chain, compiler="gcc 13")),
        key_of(row, calls, replace(chain, flags=("-mcpu=cortex-m4", "balanced"))),
        key_of(row, [replace(calls[0], shape=(("out_c", 1),))], chain),
    ]
    assert len(set(keys)) == len(keys)
    # Weights are no part of it: layers of one geometry share a figure.
    assert key_of(row, [replace(calls[0], params=())], chain) == keys[0]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"cycles": -1}', '{"cycles": "3"}'])
def test_a_damaged_measurement_is_as_none(damage: str, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new")
    assert cache.get("a") is None
    cache.put("a", 7, "kernel")
    assert cache.get("a") == 7
    (file,) = (tmp_path / "new").rglob("a.json")
    file.write_text(damage, encoding="utf-8")
    assert cache.get("a") is None


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    cache = Cache(file)
    cache.put("a", 7, "kernel")
    assert cache.get("a") is None


def test_a_board_is_measured_on_the_emulated_one_of_its_core() -> None:
    assert emulated_board(load_board("nucleo_l4r5zi")).name == "mps2-an386"
    assert emulated_board(load_board("microbit")).name == "microbit"
    with pytest.raises(OptionError, match="no emulator counts the instructions of Xtensa LX6"):
        emulated_board(load_board("esp32dev"))


class FakeBench:
    """Counts the rounds that begin; each layer takes a cycle."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        chain = Toolchain("cortex-m4", "gcc 12", ())
        monkeypatch.setattr(measure, "toolchain_of", lambda board, optimize: chain)
        monkeypatch.setattr(measure._Bench, "cycles", self.cycles)

    def cycles(self, program: Program, progress: Progress) -> dict[int, int]:
        self.begun += 1
        return dict.fromkeys(range(len(program.steps)), 1)


def test_an_interrupt_begins_no_further_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeBench(monkeypatch)

    def interrupted(jobs: object) -> NoReturn:
        raise KeyboardInterrupt

    def slow(program: Program, progress: Progress) -> dict[int, int]:
        time.sleep(0.2)
        return fake.cycles(program, progress)

    monkeypatch.setattr(measure._Bench, "cycles", slow)
    monkeypatch.setattr(measure, "as_completed", interrupted)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        tune(digits(), choose_target(M4), Options(), Cache(tmp_path), lambda text: None)
    assert fake.begun <= 1


def test_a_figure_is_of_the_calls_that_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is idle of the arena changes how a kernel is called, and is not in the geometry."""
    fake = FakeBench(monkeypatch)
    seen: list[Call] = []

    def noting(row: Kernel[Any], calls: Sequence[Call], toolchain: Toolchain) -> str:
        seen.extend(calls)
        return key_of(row, calls, toolchain)

    monkeypatch.setattr(measure, "key_of", noting)
    tune(digits(), choose_target(M4), Options(), Cache(tmp_path), lambda text: None)
    assert fake.begun > 1
    bands = {dict(call.shape).get("band", 0) for call in seen}
    layers = layers_of(run_pipeline(digits().graph), Isa.DSP, Optimize.SPEED)
    alone = {
        dict(call.shape).get("band", 0) for x in layers for c in x.candidates for call in c.calls
    }
    assert max(bands) > max(alone) > 0


def test_nothing_is_measured_for_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    arguments = ["tune", str(DIGITS), "--board", "mps2-an386", "-o", str(tmp_path / "no" / "x")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert (
        result.stderr
        == f"error: cannot write into {tmp_path / 'no'}\n  hint: name another file: -o FILE\n"
    )


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    write_whole(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half of this, and \udcff")
    assert [p.name for p in tmp_path.iterdir()] == ["x.toml"] and file.read_text() == "old"


def test_there_is_nothing_to_tune_for_size(tmp_path: Path) -> None:
    options = Options(optimize=Optimize.SIZE)
    with pytest.raises(OptionError, match="takes the smallest kernels"):
        tune(digits(), choose_target(M4), options, Cache(tmp_path), lambda text: None)
