"""Building: sizes that add up, and failures that say what is wrong."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_tests.models import samples
from firmware_tests.models.residual import residual_program
from tinygen.board import Board
from tinygen.board.file import load_board
from tinygen.build.image import BuildReport, build, overflow_error
from tinygen.compile import Options, compile_graph
from tinygen.emit import ArenaKind, Program
from tinygen.errors import BudgetError, BuildError, ToolError
from tinygen.firmware.files import project_files
from tinygen.firmware.manifest import ProjectError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import choose_target
from tinygen.run.counting_regions import function_ranges
from tinygen.run.symbols import address_words


def program(board: Board, arena: ArenaKind = ArenaKind.STATIC) -> Program:
    return residual_program(board, Options(arena=arena))


def generated(directory: Path, name: str, arena: ArenaKind = ArenaKind.STATIC) -> Path:
    board = load_board(name)
    write_project(program(board, arena), choose_target(board), directory)
    return directory


@pytest.mark.parametrize("name", ["native", "microbit"])
@pytest.mark.parametrize("arena", ArenaKind)
def test_sizes_add_up(tmp_path: Path, name: str, arena: ArenaKind) -> None:
    board = load_board(name)
    compiled = program(board, arena)
    report = build(generated(tmp_path / "p", name, arena))
    flash, ram = report.flash, report.ram
    assert flash["total"] == flash["weights"] + flash["code"]
    assert ram["total"] == ram["arena"] + ram["stack"] + ram["other"]
    assert 0 <= ram["arena"] - compiled.memory.arena_bytes < 8
    assert flash["weights"] >= 4 + 2 * 4  # weights and bias of the one convolution
    assert (flash.get("limit"), ram.get("limit")) == (board.flash_bytes, board.ram_bytes)
    assert report.image.is_file()
    assert report.to_json()["flash"]["total"] == flash["total"]
    assert "weights" in report.to_text()


def test_a_second_build_has_nothing_to_do(tmp_path: Path) -> None:
    directory = generated(tmp_path / "p", "native")
    before = build(directory).image.stat().st_mtime_ns
    generated(directory, "native")
    assert build(directory).image.stat().st_mtime_ns == before


def test_one_directory_can_change_its_board(tmp_path: Path) -> None:
    build(generated(tmp_path / "p", "native"))
    assert build(generated(tmp_path / "p", "microbit")).board == "microbit"
    assert build(generated(tmp_path / "p", "mps2-an386")).board == "mps2-an386"


@pytest.mark.parametrize("name", ["native", "microbit"])
def test_a_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    directory = tmp_path / "it's a $HOME; dïr #1"
    assert build(generated(directory, name)).image.is_file()


def with_arena(fits: Program, arena_bytes: int) -> Program:
    plan = replace(fits.memory.plan, arena_bytes=arena_bytes)
    return replace(fits, memory=replace(fits.memory, plan=plan))


def test_too_large_an_arena_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    board = load_board("microbit")
    with pytest.raises(BudgetError, match=r"5,664 more than the 14,336 .* stack of 2,048"):
        write_project(with_arena(program(board), 20000), choose_target(board), tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_an_overflow_that_only_the_linker_sees_is_a_budget_error(tmp_path: Path) -> None:
    board = load_board("microbit")
    # The arena fits beside the stack, but the firmware's own variables do not.
    write_project(with_arena(program(board), 14336), choose_target(board), tmp_path / "p")
    with pytest.raises(BudgetError, match=r"ram 'ram' has 16,384 bytes; .* too many") as error:
        build(tmp_path / "p")
    assert error.value.exit_code == 1


def test_the_compilers_words_reach_the_user(tmp_path: Path) -> None:
    directory = generated(tmp_path / "p", "native")
    (directory / "src" / "mine.c").write_text("int broken(void) { return nonsense; }\n")
    with pytest.raises(BuildError, match="nonsense"):
        build(directory)


def test_warnings_are_errors(tmp_path: Path) -> None:
    directory = generated(tmp_path / "p", "native")
    (directory / "src" / "mine.c").write_text("char f(int x);\nchar f(int x) { return x; }\n")
    with pytest.raises(BuildError, match="conversion"):
        build(directory)


def test_a_missing_compiler_is_named_with_its_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = generated(tmp_path / "p", "microbit")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "make").symlink_to("/usr/bin/make")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ToolError, match="arm-none-eabi-gcc is not installed\n  hint: "):
        build(directory)


def test_a_directory_without_a_project_is_not_built(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="is not a tinygen project"):
        build(tmp_path)


def test_the_layers_and_the_invocation_stay_visible_in_the_image(tmp_path: Path) -> None:
    report = build(generated(tmp_path / "p", "microbit"))
    # GCC may add a suffix such as .constprop.0 to the name of a static function.
    names = {f.name.split(".")[0] for f in function_ranges(report.image)}
    assert {"firmware_invoke", "firmware_layer_hook", "residual_invoke"} <= names
    assert {n for n in names if n.startswith("layer_")} == {
        "layer_00_conv_2d_conv", "layer_01_add_sum",
    }  # fmt: skip


def test_an_address_outside_of_the_image_stays_a_number(tmp_path: Path) -> None:
    assert address_words(tmp_path / "missing", 0x1234) == "0x00001234"


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_the_bar_is_drawn_for_any_size(total: int, limit: int) -> None:
    sizes = {"total": total, "limit": limit, "weights": 0, "code": total}
    text = BuildReport(Path("x"), "b", sizes, sizes).to_text()
    assert text.count("[") == 2


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("ld: region `dram0_0_seg' overflowed by 5104 bytes", "'dram0_0_seg' .* 5,104 bytes"),
        ("ld: region `FLASH' overflowed by 12 bytes", "'FLASH' .* 12 bytes .*\n.*--optimize size"),
        (
            "The program size (1400000 bytes) is greater than maximum allowed (1310720 bytes)",
            "allows 1,310,720 bytes of flash; 1,400,000 are needed\n.*--optimize size",
        ),
    ],
)
def test_a_vendors_memory_that_overflows_is_a_budget_error(output: str, words: str) -> None:
    error = overflow_error(load_board("esp32dev"), output)
    assert error is not None and error.exit_code == 1
    assert re.search(words, str(error))


def test_a_name_from_a_model_stays_in_the_model(tmp_path: Path) -> None:
    hostile = 'a"b\n[env:mine]\nplatform = mine\n#) ${x} `y`.tflite'
    board = load_board("nucleo_f446re")
    texts = []
    for file_name in ("residual.tflite", hostile):
        compiled = compile_graph(
            samples.residual(), file_name, "ab" * 32, board.core.name, board.core.isa,
            Options(name="residual"),
        )  # fmt: skip
        files = project_files(compiled, choose_target(board))
        texts.append({k: v for k, v in files.items() if k.endswith((".ini", ".txt", "ary.json"))})
    assert len(texts[0]) == 4
    assert texts[0] == texts[1]
