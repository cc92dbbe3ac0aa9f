"""What ``tinygen ops`` tells of each operator, derived from the table and from what was counted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from tinygen.conformance import HOST, Counts
from tinygen.ir import DType
from tinygen.isa import Isa
from tinygen.ops.base import OpDef
from tinygen.tables import table

# Operators' fields by which the chosen reference decides numbers.
_NUMERICS = frozenset({"numerics", "rounding"})


@dataclass(frozen=True, slots=True)
class Rows:
    """The kernel rows that need one set of instructions beyond plain C."""

    isa: str
    kernels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator as users ask for it; ``cases`` by element type and place.

    ``tolerance`` is what float32 results may lie off, in words; empty where there are none.
    """

    name: str
    dtypes: tuple[str, ...]
    numerics: bool
    tolerance: str
    rows: tuple[Rows, ...]
    cases: dict[str, dict[str, int]]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def isa_name(isa: Isa) -> str:
    """An instruction set extension in words."""
    names = {Isa.ANY: "any", Isa.LONG_MULTIPLY: "long multiply", Isa.DSP: "DSP", Isa.MVE: "MVE"}
    return names.get(isa) or " + ".join(n for i, n in names.items() if i and i in isa)


def operators_of(definitions: Sequence[OpDef[Any]], counts: Counts) -> tuple[Operator, ...]:
    """``definitions`` by name, with what ``counts`` says of them."""
    return tuple(
        _operator(definition, counts) for definition in sorted(definitions, key=lambda d: d.op.kind)
    )


def _operator(definition: OpDef[Any], counts: Counts) -> Operator:
    kind = definition.op.kind
    by_isa: dict[Isa, list[str]] = {}
    for row in definition.kernels:
        by_isa.setdefault(row.needs, []).append(row.label)
    rows = tuple(
        Rows(isa_name(isa), tuple(by_isa[isa])) for isa in sorted(by_isa, key=lambda i: i.value)
    )
    dtypes = tuple(dtype.value for dtype in definition.dtypes)
    cases = {dtype: dict(counts.get(kind, {}).get(dtype, {})) for dtype in dtypes}
    numerics = any(f.name in _NUMERICS for f in fields(definition.op))
    floats = DType.FLOAT32 in definition.dtypes or not definition.tolerance.exact
    tolerance = str(definition.tolerance) if floats else ""
    return Operator(kind, dtypes, numerics, tolerance, rows, cases)


def on_host(operator: Operator, dtype: str) -> int:
    """Cases that ran on the host."""
    return operator.cases[dtype].get(HOST, 0)


def on_boards(operator: Operator, dtype: str) -> dict[str, int]:
    """Cases that ran on each emulated board."""
    return {place: n for place, n in operator.cases[dtype].items() if place != HOST}


def operators_table(operators: Sequence[Operator]) -> list[str]:
    """One line for each operator and type."""
    rows = [("operator", "type", "numerics", "rows", "host", "each core")]
    rows += [
        (
            operator.name if dtype == operator.dtypes[0] else "",
            dtype,
            "differ" if operator.numerics else "same",
            _rows_text(operator),
            str(on_host(operator, dtype)),
            _boards_text(operator, dtype),
        )
        for operator in operators
        for dtype in operator.dtypes
    ]
    return table(rows, right=(4, 5), clip=False)


def operator_text(operator: Operator) -> list[str]:
    """One operator in full."""
    lines = [
        operator.name,
        f"  numerics  {'the chosen reference decides' if operator.numerics else 'one for both'}",
    ]
    if operator.tolerance:
        lines.append(f"  tolerance {operator.tolerance} (float32)")
    lines += [f"  {rows.isa:<9} {', '.join(rows.kernels)}" for rows in operator.rows]
    if not operator.rows:
        lines.append("  a view: no code is made")
    for dtype in operator.dtypes:
        places = [f"host {on_host(operator, dtype)}"]
        places += [f"{place} {n}" for place, n in on_boards(operator, dtype).items()]
        lines.append(f"  {dtype:<9} cases: {', '.join(places)}")
    return lines


def operators_page(operators: Sequence[Operator]) -> str:
    """The page ``docs/operators.md``."""
    head = (
        "operator", "types", "numerics", "float32 within", "kernel rows",
        "cases on the host, and on each core",
    )  # fmt: skip
    lines = [*_HEAD, f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for operator in operators:
        cases = ", ".join(
            f"{dtype} {on_host(operator, dtype)} / {_boards_text(operator, dtype)}"
            for dtype in operator.dtypes
        )
        cells = (
            operator.name,
            ", ".join(operator.dtypes),
            "differ" if operator.numerics else "",
            operator.tolerance,
            _rows_text(operator),
            cases,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _rows_text(operator: Operator) -> str:
    return ", ".join(f"{r.isa} {len(r.kernels)}" for r in operator.rows) or "view"


def _boards_text(operator: Operator, dtype: str) -> str:
    """How many cases ran on each board, at least; "-" where there is none."""
    counts = on_boards(operator, dtype)
    return str(min(counts.values())) if counts else "-"


_HEAD = (
    "# Operators",
    "",
    "Written by `tinygen ops --markdown`; `make operators` writes it anew.",
    "",
    "- *types*: the element types of the operator's first input, or of what it selects from.",
    "- *numerics*: whether `--numerics` may change its numbers; see [numerics.md](numerics.md).",
    "- *float32 within*: what a float32 result may lie off the reference's; see",
    "  [numerics.md](numerics.md#floating-point).",
    "- *kernel rows*: how many there are for each extension of the instruction set. *any* is plain",
    "  C; a *view* takes no code. `tinygen ops --op NAME` names them.",
    "- *cases*: drawn one-operator models that a reference interpreter agreed on and that ran as",
    "  firmware, on the host under sanitizers, and on each emulated core at least so many.",
    "  `python -m firmware_tests.conformance` draws them.",
    "",
)
