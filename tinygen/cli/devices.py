"""Commands on a generated project and on the device that it is for."""

import shlex
from pathlib import Path

import click

from tinygen.cli.group import print_json
from tinygen.cli.options import PORT_HELP, PROBE_HELP, PROJECT, json_option, progress

_TOOL = click.option(
    "--tool",
    type=click.Choice(["make", "pio"]),
    help="What builds: make, or PlatformIO; default: make where it can.",
)


@click.command()
@click.argument("directory", type=PROJECT)
@_TOOL
@json_option
def build(directory: Path, tool: str | None, as_json: bool) -> None:
    """Compile the project in DIRECTORY; print the linked image's flash and RAM."""
    from tinygen.build.image import BuildTool
    from tinygen.build.image import build as run_build

    report = run_build(directory, BuildTool(tool) if tool else None, progress)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(report.to_text())


@click.command()
@click.argument("directory", type=PROJECT)
@click.option("--port", default="", help=PORT_HELP)
@click.option("--probe", default="", help=PROBE_HELP)
@_TOOL
@click.option("--dry-run", is_flag=True, help="Only print the command that would upload.")
@json_option
def flash(
    directory: Path, port: str, probe: str, tool: str | None, dry_run: bool, as_json: bool
) -> None:
    """Build the project in DIRECTORY and upload it to its board."""
    from tinygen.build.image import BuildTool
    from tinygen.flash.upload import flash as run_flash

    chosen = BuildTool(tool) if tool else None
    report = run_flash(directory, port, probe, chosen, dry_run=dry_run, progress=progress)
    if as_json:
        print_json(report.to_json())
    elif dry_run:
        # The command wants to be typed in the project's directory.
        away = directory.resolve() != Path.cwd()
        click.echo(f"cd {shlex.quote(str(directory))} && " * away + report.command)
    else:
        click.echo(f"uploaded {report.image} to {report.board}")


@click.command()
@click.argument("directory", type=PROJECT, required=False)
@click.option("--port", help=PORT_HELP)
@click.option("--baud", type=click.IntRange(min=1), help="Default: the board's, else 115200.")
@click.option("--seconds", type=click.FloatRange(min=0), help="End after so long.")
@click.option("--timestamps", is_flag=True, help="Begin each line with the time of day.")
def monitor(
    directory: Path | None,
    port: str | None,
    baud: int | None,
    seconds: float | None,
    timestamps: bool,
) -> None:
    """Show what a device says, until Ctrl-C.

    With the project's DIRECTORY, a crash is told with the names of its functions, and the port is
    found by itself where only one can be the board's.
    """
    from tinygen.firmware.manifest import project_board, read_manifest
    from tinygen.run.monitor import monitor as run_monitor
    from tinygen.run.monitor import where_in
    from tinygen.usb.detect import port_of

    board = project_board(directory, read_manifest(directory)) if directory else None
    if port is None:
        if board is None:
            raise click.UsageError("give --port, or the project's directory")
        port = port_of(board)
    run_monitor(
        port,
        click.echo,
        baud=baud or (board.serial.baud if board else 115200),
        dtr=board.serial.dtr if board else True,
        seconds=seconds,
        timestamps=timestamps,
        where=where_in(directory),
    )
