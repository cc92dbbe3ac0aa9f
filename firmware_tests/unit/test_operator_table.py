"""No operator and no kernel row without a test."""

import re
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from firmware_tests.kernels.cases import all_cases
from tinygen.isa import Isa
from tinygen.ops import BY_KIND, OPS, definition_of
from tinygen.ops.base import Kernel, OpDef
from tinygen.optimize import Optimize
from tinygen.select import candidates

PROMISED = (
    "CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED AVERAGE_POOL_2D MAX_POOL_2D ADD MUL SUB SOFTMAX "
    "RESHAPE PAD MEAN CONCATENATION QUANTIZE DEQUANTIZE RELU RELU6 LOGISTIC TANH SQUEEZE "
    "EXPAND_DIMS"
).split()

ROWS = [(definition, row) for definition in OPS for row in definition.kernels]


def form(row: Kernel[Any]) -> tuple[bool, bool]:
    """Which form of its function a row is: each is the choice of those who look for it."""
    return row.short, row.lean


def test_the_table_holds_every_operator_that_the_documentation_promises() -> None:
    assert set(PROMISED) <= set(BY_KIND)


@pytest.mark.parametrize("definition", OPS, ids=lambda d: d.op.kind)
def test_every_operator_has_cases(definition: OpDef[Any]) -> None:
    assert any(op.kind == definition.op.kind for op in all_cases())


@pytest.mark.parametrize("definition", OPS, ids=lambda d: d.op.kind)
def test_every_operator_says_which_types_it_takes(definition: OpDef[Any]) -> None:
    assert definition.dtypes
    assert len(set(definition.dtypes)) == len(definition.dtypes)
    drawn = {definition.subject(op).dtype for op in all_cases() if op.kind == definition.op.kind}
    assert drawn <= set(definition.dtypes)


@pytest.mark.parametrize("definition", OPS, ids=lambda d: d.op.kind)
def test_every_case_of_the_table_keeps_the_rules(definition: OpDef[Any]) -> None:
    for op in all_cases():
        if op.kind == definition.op.kind:
            assert definition.violations(op) == []


@pytest.mark.parametrize(
    ("definition", "row"), ROWS, ids=[f"{d.op.kind}-{r.label}" for d, r in ROWS]
)
def test_every_row_is_the_choice_for_some_case_on_some_core(
    definition: OpDef[Any], row: Kernel[Any]
) -> None:
    assert any(
        [r for r in candidates(op, isa, optimize) if form(r) == form(row)][:1] == [row]
        for op in all_cases()
        if definition_of(op) is definition
        for isa in (Isa.ANY, Isa.DSP, Isa.DSP | Isa.MVE)
        for optimize in Optimize
    ), f"{row.label} is never chosen"


def test_every_row_that_unrolls_has_a_shorter_form_behind_it() -> None:
    pairs = [pair for d in OPS for pair in pairwise(d.kernels) if pair[0].loop_bytes]
    unrolled = [(row, after) for row, after in pairs if not row.short]
    assert unrolled
    for row, after in unrolled:
        assert (after.function, after.short) == (row.function, True)
        assert 0 < 2 * after.loop_bytes < row.loop_bytes
        assert row.label != after.label


@pytest.mark.parametrize("definition", [d for d in OPS if not d.is_view], ids=lambda d: d.op.kind)
def test_plain_c_takes_all_that_passed_the_rules(definition: OpDef[Any]) -> None:
    assert all(candidates(op, Isa.ANY) for op in all_cases() if definition_of(op) is definition)


@pytest.mark.parametrize("definition", OPS, ids=lambda d: d.op.kind)
def test_every_rule_reads_as_a_sentence(definition: OpDef[Any]) -> None:
    for rule in definition.rules:
        first = (rule.__doc__ or "").splitlines()[0] if rule.__doc__ else ""
        assert re.fullmatch(r"[A-Z].+\.", first), f"{rule.__name__}: {first!r}"


def test_every_kernel_header_is_used_by_a_row_or_another_header() -> None:
    kernels = files("tinygen") / "kernels"
    headers = {f.name for f in kernels.iterdir() if f.name.endswith(".h")}
    included = {
        name
        for header in headers
        for name in re.findall(r'#include "(.+?)"', (kernels / header).read_text(encoding="utf-8"))
    }
    assert headers == included | {row.header for _, row in ROWS}


def test_no_two_headers_define_a_function_of_one_name() -> None:
    # One program may include them all: a core with Helium has the DSP instructions too. Assembly
    # for one architecture is never beside that for another.
    kernels = files("tinygen") / "kernels"
    found: dict[str, set[str]] = {}
    for header in kernels.iterdir():
        text = header.read_text(encoding="utf-8")
        for name in re.findall(r"^TG_(?:INLINE|NOINLINE) [^;{(]*?\b(tg_\w+)\(", text, re.MULTILINE):
            found.setdefault(name, set()).add(re.sub(r"_(arm|xtensa)\.h$", ".h", header.name))
    assert len(found) > 100
    assert not {name: headers for name, headers in found.items() if len(headers) > 1}
