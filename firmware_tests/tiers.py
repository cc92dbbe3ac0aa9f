"""What is proven of each board, recorded by the tests that prove it: a plug-in of pytest.

A test takes the fixture ``prove`` and calls it, at its end, with the board and the tier that it has
just shown. What passed is compared with the table in ``docs/boards.md`` when the whole suite has
run: more or less than the table claims is a failure. ``pytest --write-tiers`` writes the table.
"""

import os
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Protocol

import pytest

DOCUMENT = Path(__file__).parents[1] / "docs" / "boards.md"
BEGIN = "<!-- written by `pytest --write-tiers`; do not edit -->"
END = "<!-- end -->"
_PROPERTY = "tier"


class Tier(Enum):
    """How far a board's firmware was followed; the values are the table's columns."""

    LINT = "lint"
    BUILD = "build"
    EMULATED = "emulated"
    SKETCH = "sketch"
    UPLOADER = "uploader"
    HARDWARE = "hardware"


# One thing that was shown: board, tier, framework.
Claim = tuple[str, str, str]


class Prove(Protocol):
    """The fixture's type."""

    def __call__(self, board: str, tier: str, framework: str = "bare") -> None:
        """Record that this test has shown ``tier`` for ``board`` with ``framework``."""


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Prove:
    """Record a claim; it counts if the test passes."""

    def record(board: str, tier: str, framework: str = "bare") -> None:
        claim = (board, Tier(tier).value, framework)
        assert Tier(tier) is not Tier.HARDWARE, "only a person with a board can say hardware"
        request.node.user_properties.append((_PROPERTY, claim))

    return record


def table(claims: Iterable[Claim]) -> str:
    """The claims as Markdown: a row a board, a column a tier, the frameworks in the cells."""
    from tinygen.board.file import all_boards

    shown = frozenset(claims)
    lines = [
        "| board | " + " | ".join(t.value for t in Tier) + " |",
        "|---|" + "---|" * len(Tier),
    ]
    for board in all_boards():
        cells = []
        for tier in Tier:
            proven = {f for name, t, f in shown if (name, t) == (board.name, tier.value)}
            cells.append(", ".join(f.value for f in board.frameworks if f.value in proven))
        if board.platformio is not None or any(cells):
            lines.append(f"| {board.name} | " + " | ".join(c or "-" for c in cells) + " |")
    return "\n".join(lines)


def claims_in(text: str) -> frozenset[Claim]:
    """Read a table back; the inverse of ``table``."""
    rows = [[c.strip() for c in r.strip("|").split("|")] for r in text.splitlines() if "|" in r]
    return frozenset(
        (board, tier.value, framework)
        for board, *cells in rows[2:]
        for tier, cell in zip(Tier, cells, strict=True)
        for framework in cell.split(", ")
        if framework != "-"
    )


def committed(document: Path = DOCUMENT) -> str:
    """The table in the documentation."""
    text = document.read_text(encoding="utf-8")
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def write_table(claims: Iterable[Claim], document: Path = DOCUMENT) -> None:
    """Put the table of ``claims`` into the documentation."""
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    document.write_text(f"{before}{BEGIN}\n{table(claims)}\n{END}{after}", encoding="utf-8")


class Ledger:
    """Collects what passed, in the process that sees all reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._proven: set[Claim] = set()
        self._words: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for name, value in report.user_properties:
                if name == _PROPERTY:
                    self._proven.add(_claim(value))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        good = exitstatus == pytest.ExitCode.OK
        if self._config.getoption("--write-tiers"):
            if self._is_whole() and good:
                write_table(self._proven)
                self._words = [f"{len(self._proven)} proofs written to {DOCUMENT.name}"]
            else:
                self._words = ["not written: the run is not whole, or a test has failed"]
        elif self._is_whole() and good:
            problems = difference(claims_in(committed()), self._proven)
            self._words = problems
            # Without every tool, tests skip and prove less; where all are installed none may.
            if any(p.startswith("proven") for p in problems) or (problems and "CI" in os.environ):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._words:
            terminalreporter.section("boards and tiers")
            for line in self._words:
                terminalreporter.write_line(line)

    def _is_whole(self) -> bool:
        """Whether the run leaves no test out."""
        options = self._config.option
        root = Path(__file__).parent
        everything = any(Path(a.split("::")[0]).resolve() == root for a in self._config.args)
        return everything and not (options.keyword or options.markexpr or options.deselect)


def _claim(value: object) -> Claim:
    """A claim as it comes from another process: a list."""
    assert isinstance(value, list | tuple) and len(value) == 3
    return str(value[0]), str(value[1]), str(value[2])


def difference(claimed: Iterable[Claim], proven: Iterable[Claim]) -> list[str]:
    """What the table lacks, and what it claims without proof; empty where they agree."""
    claimed, proven = frozenset(claimed), frozenset(proven)
    hint = "`make boards-table` writes the table"
    return [
        f"{what}: {', '.join(' '.join(c) for c in sorted(claims))} ({hint})"
        for what, claims in (
            ("proven, but not in docs/boards.md", proven - claimed),
            ("in docs/boards.md, but not proven here", claimed - proven),
        )
        if claims
    ]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the table."""
    parser.addoption(
        "--write-tiers", action="store_true", help="write the table of boards in docs/boards.md"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For the table alone, only what proves something has to run."""
    if config.getoption("--write-tiers"):
        items[:] = [i for i in items if "prove" in getattr(i, "fixturenames", ())]


def pytest_configure(config: pytest.Config) -> None:
    """Keep the ledger where the reports of all workers arrive."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Ledger(config), "tiers")
