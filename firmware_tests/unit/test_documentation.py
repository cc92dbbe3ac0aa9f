"""The documentation lists what is there: operators, boards, commands, files."""

import re
from pathlib import Path

import pytest

from tinygen.board.file import all_boards
from tinygen.cli import main
from tinygen.ops import BY_KIND

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *ROOT.glob("examples/*/*.md")]


def section(title: str) -> str:
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_readme_lists_every_operator_and_no_other() -> None:
    listed = set(re.findall(r"\b(?:[A-Z][A-Z0-9_]+|Signal\w+)\b", section("Operators")))
    assert listed == set(BY_KIND)


def test_every_board_and_every_command_is_listed() -> None:
    proven = (ROOT / "docs" / "boards.md").read_text(encoding="utf-8")
    real = [board for board in all_boards() if board.runner == "serial"]
    assert len(real) >= 20
    assert all(f"\n| {board.name} |" in proven for board in real)
    assert all(f"`tinygen {name}" in section("Commands") for name in main.commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    broken = [x for x in links if "://" not in x and not (page.parent / x).exists()]
    assert not broken


def test_the_architecture_page_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tinygen|templates|boards|firmware_tests)/[\w./*]*)`", text)
    assert named
    missing = [name for name in named if not list(ROOT.glob(name.rstrip("/")))]
    assert not missing
