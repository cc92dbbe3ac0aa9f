"""Commands that need neither a compiler nor a device."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinygen.cli.group import print_json
from tinygen.cli.options import (
    MODEL,
    compile_options,
    json_option,
    numerics_option,
    target_options,
)

if TYPE_CHECKING:
    from tinygen.compile import Options
    from tinygen.firmware.target import Target


@click.command()
@click.argument("name", required=False)
@click.option("--detect", is_flag=True, help="List what is plugged in instead.")
@json_option
def boards(name: str | None, detect: bool, as_json: bool) -> None:
    """List the named boards, or show board NAME in full."""
    from tinygen.board.file import all_boards, load_board
    from tinygen.tables import board_text, boards_table

    if detect:
        if name:
            raise click.UsageError("--detect lists all that is plugged in; leave NAME out")
        _detect(as_json)
        return
    found = (load_board(name),) if name else all_boards()
    if as_json:
        values = [board.to_json() for board in found]
        print_json(values[0] if name else values)
    else:
        click.echo("\n".join(board_text(found[0]) if name else boards_table(found)))


def _detect(as_json: bool) -> None:
    from tinygen.board.file import all_boards
    from tinygen.usb.detect import connected_ports, detect, detect_text, to_json
    from tinygen.usb.volumes import mounted_volumes

    found = detect(connected_ports(), mounted_volumes(), all_boards())
    if as_json:
        print_json(to_json(found))
    else:
        click.echo(detect_text(found))


@click.command()
@click.argument("model", type=MODEL)
@numerics_option
@click.option(
    "--simplify", is_flag=True, help="Show too what the compiler removes, and why that is exact."
)
@json_option
def inspect(model: Path, numerics: str, simplify: bool, as_json: bool) -> None:
    """Show what MODEL holds: operators, shapes, quantization, MACs, memory, and all that tinygen
    does not compile. Exit code 2 if there is any of the last."""
    from tinygen.inspect import inspect_file, simplify_file
    from tinygen.ir import Numerics

    report = inspect_file(model, Numerics(numerics))
    made = None
    if simplify and not report.problems:
        made = simplify_file(model, Numerics(numerics))
    if as_json:
        extra = {"simplification": made.to_json() if made else None} if simplify else {}
        print_json(report.to_json() | extra)
    else:
        click.echo(report.to_text())
        if made:
            click.echo("\n" + made.to_text())
    if report.problems:
        sys.exit(2)


@click.command()
@click.argument("model", type=MODEL)
@click.option(
    "--output",
    "-o",
    "directory",
    required=True,
    help="Directory for the project.",
    type=click.Path(file_okay=False, path_type=Path),
)
@target_options
@compile_options
def generate(model: Path, target: "Target", directory: Path, options: "Options") -> None:
    """Write MODEL's C and a complete firmware project for a board."""
    from tinygen.firmware.project import write_project
    from tinygen.model import fit_loaded, load_model
    from tinygen.tune.report import choice_report

    fitted = fit_loaded(load_model(model, options.numerics), target, options)
    program = fitted.program
    write_project(program, target, directory)
    memory = program.memory
    click.echo(
        f"wrote {directory}: {len(program.layers)} layers for {target.board.name} "
        f"({target.framework.value}), arena {memory.arena_bytes:,} bytes "
        f"(live tensors need {memory.live_bound_bytes:,})"
    )
    if fitted.short:
        click.echo("\n".join(choice_report(fitted, options.optimize, None).to_text()))
    click.echo(f"next: tinygen build {shlex.quote(str(directory))}")
