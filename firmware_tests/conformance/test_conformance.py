"""A sample of the conformance run: every operator and type, by few of the many cases.

The whole of it is ``make nightly``.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from firmware_tests.conformance.__main__ import main
from firmware_tests.conformance.asking import Answer, Question, ask_all, stacked
from firmware_tests.conformance.checking import Case, Finding, Name, difference, judged, made
from firmware_tests.conformance.counts import merged
from firmware_tests.conformance.drawing import NoDrawError, drawn, is_drawn, pairs
from firmware_tests.conformance.known import KNOWN
from firmware_tests.conformance.running import Way, grouped, limit_bytes, on_board, on_host
from firmware_tests.conformance.tally import HOST, Tally
from firmware_tests.golden.corpus import BOARDS
from tinygen.ir import DType, Numerics
from tinygen.ops import OPS

SEED = 20
PARTS = 6  # the host's sample, so that no test takes long
PAIRS = pairs()
DIFFERENCES = Path(__file__).parents[2] / "docs" / "reference-differences.md"


def sample(turn: int = 0, every: int = 1, first: int = 0) -> list[Case]:
    """One case of every so many pairs, each with another seed than its neighbours."""
    chosen = list(enumerate(PAIRS))[first::every]
    return [made(Name(kind, t.value, SEED + 2 * (i % 50) + turn)) for i, (kind, t) in chosen]


def told(findings: Sequence[Finding]) -> str:
    return "\n".join(f"{f.name} on {f.place}: {f.message}" for f in findings)


@pytest.mark.parametrize(("kind", "dtype"), PAIRS, ids=lambda v: getattr(v, "value", v))
def test_every_operator_and_type_is_drawn(kind: str, dtype: DType) -> None:
    assert any(is_drawn(kind, dtype, n) for n in Numerics), (
        f"{kind} declares {dtype.value}, which nothing draws: add a draw to firmware_tests/models/"
        "random_*.py or firmware_tests/conformance"
    )


def test_no_operator_takes_a_type_that_it_does_not_declare() -> None:
    taken = []
    for definition in OPS:
        for dtype in set(DType) - set(definition.dtypes):
            with suppress(NoDrawError):
                taken.append(drawn(definition.op.kind, dtype, Numerics.TFLM, SEED, patience=40))
    assert not [graph.name for graph in taken], "add them to the dtypes of the operator's OpDef"


def test_a_case_follows_from_its_name() -> None:
    name = Name("CONV_2D", "int8", SEED)
    assert made(name).model == made(name).model
    assert made(name).model != made(Name("CONV_2D", "int8", SEED + 1)).model


def test_an_operator_that_nothing_draws_is_told() -> None:
    with pytest.raises(NoDrawError, match="SOFTMAX of bool"):
        drawn("SOFTMAX", DType.BOOL, Numerics.TFLM, 0)


@pytest.mark.reference
@pytest.mark.parametrize("turn", range(2))
def test_a_sample_agrees_with_the_interpreters(turn: int) -> None:
    verdicts = list(judged(sample(turn)))
    findings = [found for verdict in verdicts for found in verdict.findings]
    assert not findings, told(findings)
    assert sum(verdict.is_compared for verdict in verdicts) > 0.9 * len(PAIRS)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_sample_runs_on_the_host(part: int) -> None:
    for group in grouped(sample(every=PARTS, first=part), limit_bytes(HOST)):
        findings = on_host(group, Way.numbered(4 * part))
        assert not findings, told(findings)


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS)
def test_a_sample_runs_on_every_core(board: str) -> None:
    index = BOARDS.index(board)
    cases = sample(every=len(BOARDS), first=index)
    group = next(grouped(cases, limit_bytes(board)))
    findings = on_board(group, board, Way.numbered(3 * index))
    assert not findings, told(findings)


@pytest.mark.reference
def test_what_an_interpreter_refuses_or_dies_of_is_counted_apart() -> None:
    case = made(Name("ABS", "int8", SEED))
    inputs = stacked(case.inputs)
    questions = [
        Question(b"no model", inputs, Numerics.LITERT),
        Question(case.model, inputs, Numerics.TFLM),
    ]
    refused, given = ask_all(questions)
    assert refused.refusal
    assert not refused.is_given
    assert given.is_given
    assert difference(case, "tflm", list(zip(*given.outputs, strict=True))) is None


def test_a_difference_is_found() -> None:
    case = made(Name("ABS", "int8", SEED))
    wrong = [tuple(1 - array for array in row) for row in case.want]
    found = difference(case, "host", wrong)
    assert found is not None
    assert "differ, first in vector 0" in found.message


def test_an_answer_is_given_unless_refused_or_crashed() -> None:
    assert Answer().is_given
    assert not Answer(crash="died").is_given
    assert not Answer(refusal="no").is_given


def test_counts_of_an_earlier_run_stay_where_this_one_did_not_run() -> None:
    tally = Tally()
    tally.ran["host"] = 3
    before = {"ADD": {"int8": {"host": 9, "microbit": 2}, "float32": {"host": 1}}}
    found = merged([("ADD", "int8"), ("SUB", "int8")], {("ADD", "int8"): tally}, before, ["host"])
    assert found == {"ADD": {"int8": {"host": 3, "microbit": 2}}, "SUB": {"int8": {}}}
    assert json.dumps(found)


def test_every_known_difference_is_documented() -> None:
    text = DIFFERENCES.read_text(encoding="utf-8")
    missing = [known.title for known in KNOWN if f"\n## {known.title}\n" not in text]
    assert not missing


def test_the_command_line_tells_what_ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--op", "RESHAPE", "--dtype", "int8", "--cases", "2", "--jobs", "1"]
    assert main([*words, "--failures", str(tmp_path)]) == 0
    assert "RESHAPE int8: host 2; " in capsys.readouterr().out
    assert main(["--op", "RESHAPE", "--dtype", "int8", "--op", "NOTHING", "--cases", "0"]) == 0
    assert main(["--op", "NOTHING"]) == 2
