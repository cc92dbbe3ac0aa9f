"""Every model of the shared corpus that holds only supported operators, byte for byte, and floats
within the stated tolerance.

Golden vectors were made by others with the reference interpreters; drawn vectors are compared with
the numpy reference and the installed interpreter. A model that a board cannot hold must be refused
with the bytes that are missing; one that tinygen does not compile, with the operators' names.
"""

from pathlib import Path

import pytest

from firmware_tests.golden.corpus import Entry, compiled_models, emulated_runs, other_models
from tinygen.board.file import load_board
from tinygen.compile import Options
from tinygen.errors import BudgetError, UnsupportedError
from tinygen.firmware.target import choose_target
from tinygen.ir import Numerics
from tinygen.validate import validate

pytestmark = pytest.mark.corpus


@pytest.mark.parametrize(
    ("entry", "numerics"),
    [(e, Numerics(n)) for e in compiled_models() for n in e.references],
    ids=lambda p: p.id if isinstance(p, Entry) else p.value,
)
def test_golden_vectors_pass_on_the_host(entry: Entry, numerics: Numerics) -> None:
    report = validate(
        entry.model,
        choose_target(load_board("native")),
        Options(numerics=numerics),
        vectors=entry.golden,
        count=0,
        seed=0,
        directory=None,
    )
    assert report.passed, report.verdict()
    assert report.vectors == entry.vectors


@pytest.mark.parametrize("entry", compiled_models(), ids=lambda e: e.id)
def test_drawn_vectors_pass_on_the_host(entry: Entry) -> None:
    report = validate(
        entry.model,
        choose_target(load_board("native")),
        Options(),
        vectors=None,
        count=6,
        seed=20261121,
        directory=None,
    )
    assert report.passed, report.verdict()
    if entry.facts["class"] == "uint8":
        assert "LiteRT" in report.oracles
    else:
        assert ("TFLite Micro" in report.oracles) == ("tflm" in entry.references)


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("entry", "board"), emulated_runs(), ids=lambda p: p.id if isinstance(p, Entry) else p
)
def test_golden_vectors_pass_on_every_core_that_holds_the_model(entry: Entry, board: str) -> None:
    target = load_board(board)
    try:
        report = validate(
            entry.model,
            choose_target(target),
            Options(),
            vectors=entry.golden,
            count=0,
            seed=0,
            directory=None,
        )
    except BudgetError as error:
        assert entry.exceeds(target), f"{board} should hold {entry.id}: {error}"
        assert "bytes" in str(error)
        return
    assert report.passed, report.verdict()
    assert report.vectors == entry.vectors
    assert report.instructions is not None
    assert report.instructions >= report.macs / 8  # no core multiplies more than 8 pairs at once


@pytest.mark.parametrize("entry", other_models(), ids=lambda e: e.id)
def test_any_other_model_passes_or_is_refused_with_all_its_reasons(entry: Entry) -> None:
    numerics = Numerics(entry.references[0])
    try:
        report = validate(
            entry.model,
            choose_target(load_board("native")),
            Options(numerics=numerics),
            vectors=entry.golden,
            count=0,
            seed=0,
            directory=None,
        )
    except UnsupportedError as error:
        message = str(error)
        missing = [op.removeprefix("CUSTOM:") for op in entry.unsupported]
        assert all(op in message for op in missing), message
        assert "tensor '" in message or "does not know this operator" in message, message
        assert "\n  - " in message
        assert error.hint
    else:
        assert not entry.unsupported
        assert report.passed, report.verdict()


def test_the_corpus_is_where_the_tests_expect_it() -> None:
    if not Path(__file__).parents[3].joinpath("shared", "models").is_dir():
        pytest.skip("no ../shared/models beside this checkout")
    assert len(compiled_models()) >= 120
