"""What a page of the documentation shows, taken out so that a test can do it.

A fenced block of a page is, by its language:

- ``sh``: commands, run one after the other in the order of the page;
- ``text`` right behind such a block: the end of what it prints;
- ``console``: commands (``$ ...``) that need a board or the network; their options are checked;
- anything else behind a line that is just "`path`:": a file.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tinygen.board.file import load_board
from tinygen.cli import main

_FENCE = re.compile(
    r"^(?:(?<=\n\n)`(?P<file>[^`\n]+)`:\n\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.S | re.M
)
_COMMAND = re.compile(r"(\$ )?tinygen [a-z]")
_SPAN = re.compile(r"`(tinygen [a-z][^`]+)`")
_STANDS_FOR = re.compile(r"[A-Z_.]+$|<.*>$|\$|\.\.\.")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; ``file`` is "" where it is no file."""

    language: str
    text: str
    file: str


def blocks(page: Path) -> tuple[Block, ...]:
    """The fenced blocks of ``page`` in their order."""
    found = _FENCE.finditer(page.read_text(encoding="utf-8"))
    return tuple(Block(m["language"], m["text"], m["file"] or "") for m in found)


def tinygen_commands(page: Path) -> Iterator[tuple[str, ...]]:
    """The words of every tinygen command on ``page``, in blocks and in running text."""
    for block in blocks(page):
        for line in _logical_lines(block.text):
            prompted = line.startswith("$ ")
            if (prompted or block.language == "sh") and _COMMAND.match(line):
                yield tuple(shlex.split(line.removeprefix("$ "), comments=True))
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for line in _logical_lines(prose):
        if line.startswith("    ") and _COMMAND.match(line.strip()):
            # What stands far to the right explains the command.
            yield tuple(shlex.split(re.split(r"\s{3,}", line.strip())[0], comments=True))
    for span in _SPAN.findall(prose):
        yield tuple(shlex.split(span))


def _logical_lines(text: str) -> Iterator[str]:
    yield from re.sub(r"\\\n\s*", " ", text).splitlines()


def check_command(words: tuple[str, ...]) -> None:
    """Raise click.UsageError for a command, an option, a choice or a board that is not there.

    Words in capitals stand for the reader's own.
    """
    _, name, *rest = words
    command = main.commands.get(name)
    if command is None:
        raise click.UsageError(f"no command {name}")
    context = click.Context(command, info_name=name)
    given, _, _ = command.make_parser(context).parse_args(list(rest))
    for parameter in command.params:
        values = given.get(parameter.name or "")
        for value in values if isinstance(values, list | tuple) else (values,):
            if not isinstance(value, str) or _STANDS_FOR.match(value):
                continue
            if isinstance(parameter.type, click.Choice):
                parameter.type.convert(value, parameter, context)
            if parameter.name in ("board", "boards"):
                load_board(value)
