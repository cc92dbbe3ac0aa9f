"""A complete firmware project on disk: the model's C, the board's firmware, and how to build both.

Everything is rendered in memory first. A new project appears as one rename; an existing one is
updated file by file, its manifest last, and what a user added to it stays.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from tinygen.emit import ArenaKind, Program
from tinygen.firmware.files import project_files
from tinygen.firmware.fit import check_fits
from tinygen.firmware.manifest import MANIFEST, ProjectError, read_manifest
from tinygen.firmware.target import Target


def write_project(program: Program, target: Target, directory: Path) -> None:
    """Write the firmware project of ``program`` for ``target`` into ``directory``.

    Raises ProjectError for a directory that holds something else, UnsupportedError for a model name
    that the firmware needs itself, BudgetError for a model that the board cannot hold.
    """
    program = place_arena(program, target)
    check_fits(program, target)
    files = project_files(program, target)
    try:
        previous: tuple[str, ...] = ()
        if directory.exists():
            if not directory.is_dir():
                raise ProjectError(f"{directory} is not a directory")
            if any(directory.iterdir()):
                previous = read_manifest(directory).files
        _write(files, directory, previous)
    except OSError as error:
        name = error.filename or directory
        raise ProjectError(f"cannot write {name}: {error.strerror}") from None


def place_arena(program: Program, target: Target) -> Program:
    """The program with its arena owned by the firmware, where it has to come from the heap."""
    if not target.heap_arena(program.memory.arena_bytes):
        return program
    return replace(program, provenance=replace(program.provenance, arena=ArenaKind.CALLER))


def _write(files: dict[str, str], directory: Path, previous: tuple[str, ...]) -> None:
    directory = directory.absolute()
    # A directory that is there stays the same one: it may be a mount point, or a shell's own.
    exists = directory.exists()
    parent = directory if exists else directory.parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tinygen-", dir=parent) as scratch:
        stage = Path(scratch) / "project"
        for name, text in files.items():
            file = stage / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        if not exists:
            stage.replace(directory)
            return
        # What is the same keeps its date, so that the next build compiles only what changed.
        changed = [n for n in files if not _same(stage / n, directory / n)]
        for name in sorted(changed, key=lambda n: n == MANIFEST):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).replace(directory / name)
        for name in set(previous) - set(files):
            (directory / name).unlink(missing_ok=True)
            _remove_if_empty((directory / name).parent)


def _remove_if_empty(directory: Path) -> None:
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def _same(new: Path, old: Path) -> bool:
    return old.is_file() and old.read_bytes() == new.read_bytes()
