"""What ``tinygen ops`` tells is derived, and the page that it writes is up to date."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinygen.cli import main
from tinygen.conformance import load_counts
from tinygen.isa import Isa
from tinygen.operators import isa_name, operator_text, operators_of
from tinygen.ops import BY_KIND, OPS

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
COUNTS = {"CONV_2D": {"int8": {"host": 200, "microbit": 20, "mps2-an386": 21}}}


def run(*words: str) -> str:
    done = CliRunner().invoke(main, ["ops", *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_counts_name_every_operator_and_type_and_no_other() -> None:
    counted = {kind: set(dtypes) for kind, dtypes in load_counts().items()}
    assert counted == {d.op.kind: {t.value for t in d.dtypes} for d in OPS}, "run `make operators`"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == run("--markdown"), "run `make operators`"


def test_an_operator_is_told_in_full() -> None:
    (found,) = operators_of([BY_KIND["CONV_2D"]], COUNTS)
    text = "\n".join(operator_text(found))
    assert "DSP       tg_conv2d_winograd_s8_dsp" in text
    assert "int8      cases: host 200, microbit 20, mps2-an386 21" in text
    assert "int16     cases: host 0" in text
    assert "tolerance 2 ulp + 1e-05 of the largest value (float32)" in text


def test_a_program_gets_the_same() -> None:
    everything = json.loads(run("--json"))
    assert [value["name"] for value in everything] == sorted(BY_KIND)
    one = json.loads(run("--json", "--op", "relu"))
    assert one["name"] == "RELU"
    assert one["numerics"] is True
    assert one["rows"][0]["isa"] == "any"


def test_an_unknown_operator_is_a_usage_error() -> None:
    done = CliRunner().invoke(main, ["ops", "--op", "CONV_9D"])
    assert done.exit_code == 2
    assert "CONV_9D" in done.output


@pytest.mark.parametrize(
    ("isa", "name"),
    [
        (Isa.ANY, "any"),
        (Isa.LONG_MULTIPLY, "long multiply"),
        (Isa.DSP, "DSP"),
        (Isa.MVE, "MVE"),
        (Isa.DSP | Isa.MVE, "long multiply + DSP + MVE"),
    ],
)
def test_extensions_have_names(isa: Isa, name: str) -> None:
    assert isa_name(isa) == name
