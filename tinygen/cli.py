"""The command line: thin commands over the library, one place where errors become exit codes.

Results go to stdout, progress and errors to stderr. Exit codes: 0 success, 1 a failed validation
or budget, 2 a usage or input error.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from tinygen import __version__
from tinygen.errors import BudgetError, MismatchError, TinygenError

MODEL = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


INTERRUPTED = 130  # 128 + SIGINT, as shells have it
SIGNALLED = 128


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind the stack: an emulator and temporary files must not outlive us."""

    def unwind(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_IGN)  # once is enough; a second must not stop the tidying
        sys.exit(SIGNALLED + number)

    names = [n for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)]
    # Who ignores a signal, as nohup does, goes on ignoring it.
    caught = [
        s for s in map(signal.Signals.__getitem__, names) if signal.getsignal(s) is signal.SIG_DFL
    ]
    try:
        for number in caught:
            signal.signal(number, unwind)
    except ValueError:
        # Only the main thread may; called from another one, signals are the caller's business.
        caught = []
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)


class _Group(click.Group):
    """Turns the one error tree into words on stderr and the error's own exit code.

    Where a program reads stdout (``--json``), it gets the error there too.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.obj = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _ended_in_order():
                return super().invoke(ctx)
        except TinygenError as error:
            if ctx.obj:
                kind = type(error).__name__
                found = {"kind": kind, "message": error.message, "hint": error.hint}
                _print_json({"error": found})
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise  # whoever read our output has gone: click ends quietly
        except OSError as error:
            # A full disk, a directory that cannot be written: nothing of tinygen's own.
            if ctx.obj:
                _print_json(
                    {"error": {"kind": type(error).__name__, "message": str(error), "hint": ""}}
                )
            click.echo(f"error: {error}", err=True)
            ctx.exit(TinygenError.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


def _json_option(command: Any) -> Any:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")(command)


def _board_option(command: Any) -> Any:
    return click.option(
        "--board", "-b", required=True, help="A named board; `tinygen boards` lists them."
    )(command)


def _compile_options(command: Any) -> Any:
    """The options that decide what code is generated."""
    for option in (
        click.option(
            "--arena",
            type=click.Choice(["static", "caller"]),
            default="static",
            show_default=True,
            help="Who owns the arena: the generated code, or its caller.",
        ),
        click.option(
            "--optimize",
            type=click.Choice(["speed", "size"]),
            default="speed",
            show_default=True,
            help="One function per geometry and -O2, or one per kernel and -Os.",
        ),
        click.option(
            "--numerics",
            type=click.Choice(["tflm", "litert"]),
            default="tflm",
            show_default=True,
            help="Whose reference kernels to reproduce, bit for bit, where the two differ.",
        ),
        click.option("--name", default="", help="Prefix of the generated C; default: the file's."),
    ):
        command = option(command)
    return command


def _options(name: str, numerics: str, optimize: str, arena: str) -> Any:
    from tinygen import ctext
    from tinygen.compile import Options
    from tinygen.emit import ArenaKind
    from tinygen.instances import Optimize
    from tinygen.ir import Numerics

    usable = ctext.identifier(name)
    if name and name != usable:
        raise click.BadParameter(
            f"'{name}' cannot prefix C names and files; '{usable}' can", param_hint="--name"
        )
    return Options(name, Numerics(numerics), Optimize(optimize), ArenaKind(arena))


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def _progress(text: str) -> None:
    click.echo(text, err=True)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinygen")
def main() -> None:
    """Compile quantized TensorFlow Lite models to bit-exact firmware for microcontrollers."""


@main.command()
@click.argument("name", required=False)
@_json_option
def boards(name: str | None, as_json: bool) -> None:
    """List the named boards, or show board NAME in full."""
    from tinygen.board import all_boards, load_board
    from tinygen.tables import board_text, boards_table

    found = (load_board(name),) if name else all_boards()
    if as_json:
        values = [board.to_json() for board in found]
        _print_json(values[0] if name else values)
    else:
        click.echo("\n".join(board_text(found[0]) if name else boards_table(found)))


@main.command()
@click.argument("model", type=MODEL)
@click.option(
    "--numerics",
    type=click.Choice(["tflm", "litert"]),
    default="tflm",
    show_default=True,
    help="Whose reference kernels the model is meant for.",
)
@_json_option
def inspect(model: Path, numerics: str, as_json: bool) -> None:
    """Show what MODEL holds: operators, shapes, quantization, MACs, memory, and all that tinygen
    does not compile. Exit code 2 if there is any of the last."""
    from tinygen.inspect import inspect_file
    from tinygen.ir import Numerics

    report = inspect_file(model, Numerics(numerics))
    if as_json:
        _print_json(report.to_json())
    else:
        click.echo(report.to_text())
    if report.problems:
        sys.exit(2)


@main.command()
@click.argument("model", type=MODEL)
@_board_option
@click.option(
    "--output",
    "-o",
    "directory",
    required=True,
    help="Directory for the project.",
    type=click.Path(file_okay=False, path_type=Path),
)
@_compile_options
def generate(
    model: Path, board: str, directory: Path, name: str, numerics: str, optimize: str, arena: str
) -> None:
    """Write MODEL's C and a complete firmware project for a board."""
    from tinygen.board import load_board
    from tinygen.project import write_project
    from tinygen.validate import compile_file

    target = load_board(board)
    program = compile_file(model, target, _options(name, numerics, optimize, arena))
    write_project(program, target, directory)
    memory = program.memory
    click.echo(
        f"wrote {directory}: {len(program.layers)} layers for {target.name}, "
        f"arena {memory.arena_bytes:,} bytes (live tensors need {memory.live_bound_bytes:,})"
    )
    click.echo(f"next: tinygen build {directory}")


@main.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_json_option
def build(directory: Path, as_json: bool) -> None:
    """Compile the project in DIRECTORY; print the linked image's flash and RAM."""
    from tinygen.build import build as run_build

    report = run_build(directory)
    if as_json:
        _print_json(report.to_json())
    else:
        click.echo(report.to_text())


@main.command()
@click.argument("model", type=MODEL)
@_board_option
@click.option("--vectors", type=MODEL, help="An .npz of in0.., out0.. (and tflm0..).")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Vectors to draw where no file is given.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of drawn vectors.",
)
@click.option(
    "--keep",
    "-o",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the generated project in this directory.",
)
@click.option("--max-flash", type=int, help="Fail above this many bytes of flash.")
@click.option("--max-ram", type=int, help="Fail above this many bytes of RAM.")
@click.option("--max-instructions", type=int, help="Fail above this many per inference.")
@click.option("--max-cycles", type=int, help="Fail above this estimate (its middle).")
@_compile_options
@_json_option
def test(
    model: Path,
    board: str,
    vectors: Path | None,
    count: int,
    seed: int,
    directory: Path | None,
    max_flash: int | None,
    max_ram: int | None,
    max_instructions: int | None,
    max_cycles: int | None,
    name: str,
    numerics: str,
    optimize: str,
    arena: str,
    as_json: bool,
) -> None:
    """Generate, build and run MODEL's firmware; compare all outputs byte for byte.

    Without --vectors the inputs are drawn from a seed, extremes first, and the expected outputs
    are the numpy reference's, and the reference interpreter's too where it is installed.
    """
    from tinygen.board import load_board
    from tinygen.validate import Budget, validate

    report = validate(
        model,
        load_board(board),
        _options(name, numerics, optimize, arena),
        vectors=vectors,
        count=count,
        seed=seed,
        directory=directory,
        progress=_progress,
    )
    budget = Budget(max_flash, max_ram, max_instructions, max_cycles)
    exceeded = budget.exceeded(report)
    if as_json:
        _print_json(report.to_json() | {"exceeded": list(exceeded)})
    else:
        click.echo(report.to_text())
    if exceeded:
        # Not raised: under --json that would print a second value after the report.
        click.echo(f"error: over budget: {'; '.join(exceeded)}", err=True)
        sys.exit(BudgetError.exit_code)
    if not report.passed:
        sys.exit(MismatchError.exit_code)


@main.command()
@click.argument("models", type=MODEL, nargs=-1, required=True)
@click.option(
    "--board",
    "-b",
    "boards",
    required=True,
    multiple=True,
    help="A named board; give the option again for more.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Vectors per model.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the vectors."
)
@_compile_options
@_json_option
def bench(
    models: tuple[Path, ...],
    boards: tuple[str, ...],
    count: int,
    seed: int,
    name: str,
    numerics: str,
    optimize: str,
    arena: str,
    as_json: bool,
) -> None:
    """Measure several MODELS on boards: instructions, cycles, flash and RAM, as a table.

    A model that cannot be measured on a board is told on stderr and left out; the exit code is then
    that of the error.
    """
    from tinygen.board import load_board
    from tinygen.report import bench_table
    from tinygen.validate import validate

    options = _options(name, numerics, optimize, arena)
    targets = [load_board(board) for board in boards]
    reports, worst = [], 0
    for target in targets:
        for model in models:
            try:
                report = validate(
                    model,
                    target,
                    options,
                    vectors=None,
                    count=count,
                    seed=seed,
                    directory=None,
                    progress=_progress,
                )
            except TinygenError as error:
                worst = max(worst, error.exit_code)
                _progress(f"error: {error}\n  left out: {model.name} on {target.name}")
            else:
                reports.append(report)
                worst = max(worst, 0 if report.passed else MismatchError.exit_code)
    if as_json:
        _print_json([r.to_json() for r in reports])
    elif reports:
        click.echo("\n".join(bench_table(reports)))
    sys.exit(worst)


@main.command()
@_json_option
def doctor(as_json: bool) -> None:
    """List the tools that each workflow needs, found or not, and the line that installs them."""
    from dataclasses import asdict

    from tinygen.doctor import checks
    from tinygen.tables import doctor_table

    found = checks()
    if as_json:
        _print_json([asdict(check) for check in found])
    else:
        click.echo("\n".join(doctor_table(found)))
    if any(check.required and not check.found for check in found):
        sys.exit(2)


if __name__ == "__main__":
    main()
