"""The table of what is proven: written and read, and compared with what a run has shown."""

from pathlib import Path

import pytest

from firmware_tests.tiers import BEGIN, END, claims_in, committed, difference, table, write_table

CLAIMS = {
    ("nucleo_f446re", "lint", "bare"),
    ("nucleo_f446re", "lint", "stm32cube"),
    ("nucleo_f446re", "build", "bare"),
    ("esp32dev", "uploader", "arduino"),
}


def test_a_table_reads_back_as_it_was_written() -> None:
    assert claims_in(table(CLAIMS)) == CLAIMS


def test_a_row_names_the_frameworks_of_each_tier() -> None:
    assert "| nucleo_f446re | bare, stm32cube | bare | - | - | - | - |" in table(CLAIMS)


def test_every_board_that_platformio_builds_for_has_a_row() -> None:
    assert "| teensy41 | - | - | - | - | - | - |" in table(())


def test_a_document_keeps_what_stands_around_the_table(tmp_path: Path) -> None:
    file = tmp_path / "boards.md"
    file.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    write_table(CLAIMS, file)
    assert committed(file) == table(CLAIMS)
    assert file.read_text().startswith("before\n\n") and file.read_text().endswith("\n\nafter\n")


def test_the_committed_table_is_one_that_the_writer_writes() -> None:
    assert committed() == table(claims_in(committed()))


def test_nothing_claims_hardware() -> None:
    assert not [c for c in claims_in(committed()) if c[1] == "hardware"]


def test_claims_without_proof_and_proofs_without_claim_are_told() -> None:
    more = CLAIMS | {("pico", "lint", "arduino")}
    assert difference(CLAIMS, CLAIMS) == []
    assert "proven, but not in docs/boards.md: pico lint arduino" in difference(CLAIMS, more)[0]
    assert "but not proven here: pico lint arduino" in difference(more, CLAIMS)[0]


SUITE = """
import pytest

@pytest.fixture
def skipped():
    pytest.skip("no tool")

def test_passes(prove):
    prove("pico", "lint", "arduino")

def test_fails_after_its_proof(prove):
    prove("pico", "build", "arduino")
    assert False

def test_skips(prove, skipped):
    prove("pico", "sketch", "arduino")
"""


def test_only_what_passes_counts(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "pytest_plugins = ['firmware_tests.tiers']\n"
        "def pytest_terminal_summary(terminalreporter, config):\n"
        "    proven = config.pluginmanager.get_plugin('tiers')._proven\n"
        "    terminalreporter.write_line(f'proven: {sorted(proven)}')\n"
    )
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["proven: [[]('pico', 'lint', 'arduino')[]]"])
