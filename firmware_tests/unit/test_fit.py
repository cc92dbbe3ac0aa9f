"""The kernels that a board has room for: what gives way, in which order, and what is said of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tinygen.board.file import load_board
from tinygen.compile import Options, assemble, compile_model
from tinygen.emit import emit
from tinygen.firmware.fit import Fitted, code_estimate, flash_missing
from tinygen.firmware.target import Target, choose_target
from tinygen.ir import Numerics
from tinygen.model import fit_loaded, load_model
from tinygen.optimize import Optimize
from tinygen.tune.file import TunedLayer, Tuning
from tinygen.tune.report import MoreFlash, choice_report, kernel_labels

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"
MODEL = load_model(DIGITS, Numerics.TFLM)
PLENTY = 1 << 20


def target(flash: int, ram: int = PLENTY) -> Target:
    """A Cortex-M4 with so much memory."""
    board = load_board("mps2-an386")
    layout = board.layout
    assert layout is not None
    code, data = replace(layout.code, size=flash), replace(layout.data, size=ram)
    small = replace(board, layout=replace(layout, code=code, data=data, arena=data))
    return choose_target(small)


def fitted(flash: int = PLENTY, ram: int = PLENTY, optimize: Optimize = Optimize.SPEED) -> Fitted:
    """The digits example there."""
    return fit_loaded(MODEL, target(flash, ram), Options(optimize=optimize))


def test_where_there_is_room_nothing_is_given_up() -> None:
    found = fitted()
    assert not found.given_up and not found.short
    labels = kernel_labels(found.program)
    assert any("winograd" in label or "block" in label for label in labels)
    assert choice_report(found, Optimize.SPEED, None).taken.startswith("speed: the quickest kernel")


def test_only_the_kernels_that_are_taken_pack_weights() -> None:
    found = fitted()
    for layer, chosen in zip(found.layers, found.chosen, strict=True):
        lowered = [n for n, c in enumerate(layer.candidates) if "calls" in vars(c)]
        assert lowered == ([chosen] if layer.candidates else [])
        assert chosen == 0, "the first are lowered in advance"


def test_the_less_flash_the_fewer_bytes_and_the_more_cycles() -> None:
    sizes = [fitted(flash) for flash in (PLENTY, 32_000, 28_000, 26_000, 24_000, 22_000)]
    constants = [found.program.constant_bytes for found in sizes]
    cycles = [
        sum(x.candidates[n].cycles for x, n in zip(f.layers, f.chosen, strict=True) if x.candidates)
        for f in sizes
    ]
    assert constants == sorted(constants, reverse=True) and cycles == sorted(cycles)
    assert len(set(cycles)) >= 4, "kernels are given up one by one, not all at once"
    last = {step.kernel for step in sizes[-1].program.steps if step.kernel}
    assert not any(row.packs and row.bulky for row in last)


@pytest.mark.parametrize("flash", [31_000, 30_000, 27_000, 24_000])
def test_no_layer_could_have_a_better_kernel_in_what_is_left(flash: int) -> None:
    found = fitted(flash)
    assert found.given_up and found.missing <= 0
    for index in found.given_up:
        for number in range(found.wanted[index], found.chosen[index]):
            chosen = (*found.chosen[:index], number, *found.chosen[index + 1 :])
            steps = [x.step(n) for x, n in zip(found.layers, chosen, strict=True)]
            graph = found.program.graph
            other = assemble(graph, steps, "d.tflite", "00", "cortex-m4", Options())
            code = code_estimate(found.layers, chosen, Optimize.SPEED)
            assert flash_missing(other, target(flash), code) > 0


def test_the_report_names_each_layer_that_gave_way_and_for_what() -> None:
    found = fitted(28_000)
    report = choice_report(found, Optimize.SPEED, MoreFlash(1000, None))
    assert report.short == "flash" and report.given_up
    layers = found.program.layers
    for given_up in report.given_up:
        kernel = layers[given_up.layer].kernel
        assert kernel is not None and kernel.label == given_up.kernel != given_up.instead_of
        assert given_up.cycles >= 0 and given_up.bytes > 0
    first, second = report.to_text()
    assert f"as far as flash goes: {len(report.given_up)} of {len(layers)} layers" in first
    assert second.endswith("weights +1,000 bytes")


def test_scratch_gives_way_where_ram_is_short() -> None:
    plenty = fitted()
    stack = load_board("mps2-an386").layout
    assert stack is not None
    tight = plenty.program.memory.arena_bytes + stack.stack_bytes - 4
    found = fitted(ram=tight)
    assert plenty.program.memory.peak.scratch
    assert found.short == "RAM"
    assert found.program.memory.arena_bytes < plenty.program.memory.arena_bytes


def test_balanced_lies_between_speed_and_size() -> None:
    speed, middle, size = (fitted(optimize=o) for o in Optimize)
    constants = [f.program.constant_bytes for f in (size, middle, speed)]
    assert constants == sorted(constants)
    for step in middle.program.layers:
        assert step.kernel is not None and not step.kernel.bulky
    for step in size.program.layers:
        assert step.kernel is not None and not step.kernel.packs


def test_where_even_the_smallest_kernels_are_too_large_all_is_compiled_for_size() -> None:
    for optimize in (Optimize.SPEED, Optimize.BALANCED):
        found = fitted(20_000, optimize=optimize)
        assert found.program.provenance.optimize is Optimize.SIZE
        assert found.missing <= 0
        taken = choice_report(found, optimize, None).taken
        assert taken == f"size: flash is short even for the smallest kernels of {optimize.value}"


def test_for_size_a_board_with_room_takes_what_the_compiler_alone_does() -> None:
    board = target(PLENTY).board
    options = Options(optimize=Optimize.SIZE)
    alone = compile_model(
        DIGITS.read_bytes(), DIGITS.name, board.core.name, board.core.isa, options
    )
    assert emit(alone) == emit(fitted(optimize=Optimize.SIZE).program)


@pytest.mark.parametrize("optimize", [Optimize.SPEED, Optimize.BALANCED])
def test_a_tuning_of_the_same_kernels_gives_the_same_c(optimize: Optimize) -> None:
    program = fitted(optimize=optimize).program
    layers = tuple(
        TunedLayer(s.op.kind, "", k, 1)
        for s, k in zip(program.layers, kernel_labels(program), strict=True)
    )
    tuning = Tuning(MODEL.sha256, "cortex-m4", "", "tflm", optimize.value, layers)
    again = fit_loaded(MODEL, target(PLENTY), Options(optimize=optimize, tuning=tuning)).program
    untold = replace(again, provenance=replace(again.provenance, tuning=""))
    assert again.provenance.tuning == tuning.digest and emit(untold) == emit(program)
