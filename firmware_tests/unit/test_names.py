"""Whatever a file calls things: C stays C, paths stay paths, and errors stay one error."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path, PurePosixPath

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_tests.kernels.harness import run_native
from firmware_tests.models.edit import edited
from firmware_tests.models.hostile import HOSTILE, everything, hostile, plainly_named, renamed
from firmware_tests.models.samples import residual
from firmware_tests.models.writer import to_tflite
from tinygen.board.file import load_board
from tinygen.cli import main
from tinygen.compile import Options, compile_model
from tinygen.ctext import identifier
from tinygen.emit import ArenaKind, Program
from tinygen.firmware.files import project_files
from tinygen.firmware.project import place_arena
from tinygen.firmware.target import App, choose_target
from tinygen.frontend.tflite import read_model
from tinygen.ir import Graph, Numerics
from tinygen.isa import Isa
from tinygen.names import printable
from tinygen.optimize import Optimize
from tinygen.reference import run_all
from tinygen.vectors import draw_vectors

TARGETS = (
    ("native", "host"),
    ("mps2-an386", "bare"),
    ("qemu-lx106", "bare"),
    ("nucleo_f446re", "bare"),
    ("nano33ble", "arduino"),
    ("esp32-c3-devkitm-1", "espidf"),
    ("nucleo_f446re", "stm32cube"),
)
EVIL_FILE = '../*/ "evil"\n$(touch evil) {{ 1 }} `x`\u202e.tflite'

# A C token, comments and blanks left out; a string is one.
_TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|\s+|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|[A-Za-z_]\w*|[0-9][\w.+-]*|.',
    re.DOTALL,
)
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


def tokens(source: str) -> list[str]:
    """The tokens of a C file, an included name with its quotes."""
    assert "??" not in source  # no trigraph, not even in a comment
    assert not re.search(r"\\\s*$", "\n".join(re.findall(r"//.*", source)), re.MULTILINE)
    found = _TOKEN.findall(source)
    return [t for t in found if not t.isspace() and not t.startswith(("/*", "//"))]


def program_of(graph: Graph, file_name: str, board: str, arena: ArenaKind) -> Program:
    core = load_board(board).core
    options = Options(name="model", arena=arena)
    program = compile_model(to_tflite(graph), file_name, core.name, core.isa, options)
    origin = replace(program.provenance, model_sha256="ab" * 32)
    return replace(program, provenance=origin)


def assert_names_do_not_matter(
    mine: Program, theirs: Program, board: str, framework: str, app: App
) -> None:
    """Projects of the same model under other names differ in comments and identifiers alone."""
    target = choose_target(load_board(board), framework, app)
    files, plain = (project_files(place_arena(p, target), target) for p in (mine, theirs))
    assert files.keys() == plain.keys()
    for path, text in files.items():
        parts = PurePosixPath(path).parts
        assert not path.startswith("/") and ".." not in parts
        assert text.isascii() or text == plain[path], path
        if path.endswith((".c", ".h", ".cpp")):
            pairs = list(zip(tokens(text), tokens(plain[path]), strict=True))
            for token, other in pairs:
                assert token == other or (_WORD.fullmatch(token) and _WORD.fullmatch(other)), path
        elif path.endswith(".json"):
            assert json.loads(text).keys() == json.loads(plain[path]).keys()
        elif path == "README.md":
            assert len(text.splitlines()) == len(plain[path].splitlines())
            assert text.count("`") == plain[path].count("`")
        else:
            assert text == plain[path], path


@pytest.mark.parametrize("app", [App.DEVICE, App.MLPERF_TINY], ids=lambda a: a.value)
@pytest.mark.parametrize(("board", "framework"), TARGETS)
def test_hostile_names_are_comments_and_identifiers(board: str, framework: str, app: App) -> None:
    arena = ArenaKind.STATIC if app is App.DEVICE else ArenaKind.CALLER
    mine = program_of(hostile(), EVIL_FILE, board, arena)
    theirs = program_of(plainly_named(), "plain.tflite", board, arena)
    assert_names_do_not_matter(mine, theirs, board, framework, app)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=40), st.text(max_size=60))
def test_any_names_are_comments_and_identifiers(names: list[str], file_name: str) -> None:
    graph = renamed(everything(), chain(names, repeat(names[0])))
    mine = program_of(graph, file_name, "mps2-an386", ArenaKind.STATIC)
    theirs = program_of(plainly_named(), "plain.tflite", "mps2-an386", ArenaKind.STATIC)
    assert_names_do_not_matter(mine, theirs, "mps2-an386", "bare", App.DEVICE)


@given(st.text() | st.sampled_from(HOSTILE))
def test_a_models_name_is_a_file_name_everywhere(text: str) -> None:
    name = identifier(text)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert name not in {"con", "aux", "nul", "prn", "com1", "lpt9", "firmware_model", "int"}
    assert identifier(name) == name  # so that --name takes what tinygen itself has chosen


@given(st.text())
def test_what_is_printed_stays_on_its_line(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text).splitlines()) <= 1


@pytest.mark.parametrize("optimize", [Optimize.SPEED, Optimize.SIZE], ids=lambda o: o.value)
def test_a_model_of_hostile_names_computes_what_it_should(optimize: Optimize) -> None:
    options = Options(optimize=optimize, arena=ArenaKind.CALLER)
    program = compile_model(to_tflite(hostile()), EVIL_FILE, "host", Isa.ANY, options)
    graph = read_model(to_tflite(hostile()), EVIL_FILE, Numerics.TFLM)
    inputs = draw_vectors(graph, 5, 0).inputs
    want = run_all(graph, inputs)
    for mine, theirs in zip(run_native(program, inputs), want, strict=True):
        assert [a.tobytes() for a in mine] == [a.tobytes() for a in theirs]


def words_of(model: bytes, name: str, directory: Path) -> Iterator[str]:
    """All that `inspect` and `generate` say of a file called ``name``, line by line."""
    path = os.fsdecode(os.fsencode(directory) + b"/" + name.encode("utf-8", "surrogateescape"))
    Path(path).write_bytes(model)
    generate = ["generate", path, "-o", str(directory / "out"), "--board", "native"]
    for arguments in (["inspect", path], ["inspect", "--simplify", path], generate):
        result = CliRunner().invoke(main, arguments)
        assert isinstance(result.exception, SystemExit | None)
        yield from result.stdout.split("\n")
        yield from result.stderr.split("\n")
        assert sum(line.startswith("error:") for line in result.stderr.split("\n")) <= 1


@pytest.mark.parametrize("whole", [True, False], ids=["sound", "damaged"])
@pytest.mark.parametrize(
    "name", ["a\nerror: evil.tflite", "a\x1b[31mred.tflite", "\udcff.tflite", "\u202eelif.tflite"]
)
def test_the_name_of_a_file_cannot_forge_what_tinygen_says(
    name: str, whole: bool, tmp_path: Path
) -> None:
    model = to_tflite(hostile())
    lines = list(words_of(model if whole else model[:-100], name, tmp_path))
    assert any(lines)
    assert all(line.isprintable() for line in lines)


def test_variables_are_told_apart_by_their_whole_names() -> None:
    """Two names that print alike are two names."""
    from firmware_tests.models.random_states import random_stateful_graph

    graph = next(
        g
        for seed in range(200)
        if (g := random_stateful_graph(seed, Numerics.TFLM)) and len(g.states) == 2
    )

    def change(model: object) -> None:
        handles = [
            op.builtinOptions
            for subgraph in model.subgraphs  # type: ignore[attr-defined]
            for op in subgraph.operators
            if hasattr(op.builtinOptions, "sharedName")
        ]
        for options in handles:
            first = options.sharedName in (b"variable0", "variable0")
            options.sharedName = "a\n" if first else "a\\n"

    read = read_model(edited(to_tflite(graph), change), "m.tflite", Numerics.TFLM)
    assert len(read.states) == 2


def test_names_equal_but_for_case_are_two_things() -> None:
    graph = renamed(residual(), chain(["Case", "case", "CASE", "cAse"], repeat("caSe")))
    data = to_tflite(graph)
    program = compile_model(data, "m.tflite", "host", Isa.ANY, Options())
    inputs = draw_vectors(graph, 5, 0).inputs
    for mine, theirs in zip(run_native(program, inputs), run_all(graph, inputs), strict=True):
        assert [a.tobytes() for a in mine] == [a.tobytes() for a in theirs]
