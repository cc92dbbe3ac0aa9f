"""Commands that run a model's firmware and judge it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinygen.cli.group import print_json
from tinygen.cli.options import (
    MODEL,
    PORT_HELP,
    PROBE_HELP,
    compile_options,
    json_option,
    progress,
    target_options,
    vector_options,
)
from tinygen.errors import BudgetError, MismatchError, OptionError, TinygenError

if TYPE_CHECKING:
    from tinygen.baseline import Baselines
    from tinygen.compile import Options
    from tinygen.firmware.target import Target
    from tinygen.report import TestReport
    from tinygen.run.link import RunOptions

_LIMIT = click.IntRange(min=0)
_RUNNER_OPTION = click.option(
    "--runner",
    type=click.Choice(["native", "qemu", "renode", "serial"]),
    help="Where to run the firmware; default: the board's own.",
)


@click.command()
@click.argument("model", type=MODEL)
@target_options
@click.option("--vectors", type=MODEL, help="An .npz of in0.., out0.. (and tflm0..).")
@vector_options(count=8)
@click.option(
    "--keep",
    "-o",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the generated project in this directory.",
)
@click.option("--port", help=PORT_HELP)
@click.option("--no-flash", is_flag=True, help="The firmware is on the board already.")
@click.option("--probe", default="", help=PROBE_HELP)
@_RUNNER_OPTION
@click.option("--max-flash", type=_LIMIT, help="Fail above this many bytes of flash.")
@click.option("--max-ram", type=_LIMIT, help="Fail above this many bytes of RAM.")
@click.option("--max-instructions", type=_LIMIT, help="Fail above this many per inference.")
@click.option("--max-cycles", type=_LIMIT, help="Fail above this estimate (its middle).")
@compile_options
@json_option
def test(
    model: Path,
    target: "Target",
    vectors: Path | None,
    count: int,
    seed: int,
    directory: Path | None,
    port: str | None,
    no_flash: bool,
    probe: str,
    runner: str | None,
    max_flash: int | None,
    max_ram: int | None,
    max_instructions: int | None,
    max_cycles: int | None,
    options: "Options",
    as_json: bool,
) -> None:
    """Generate, build and run MODEL's firmware; compare all outputs byte for byte.

    float32 outputs of models that compute in float32 are compared within a tolerance, which
    docs/numerics.md states.

    Without --vectors the inputs are drawn from a seed, extremes first, and the expected outputs
    are the numpy reference's, and the reference interpreter's too where it is installed.
    """
    from tinygen.run.link import RunOptions
    from tinygen.validate import Budget, Flashing, validate

    run = RunOptions(runner=runner, port=port)
    target = _placed(target, run, no_flash=no_flash, probe=probe)
    report = validate(
        model,
        target,
        options,
        vectors=vectors,
        count=count,
        seed=seed,
        directory=directory,
        run=run,
        flashing=None if no_flash else Flashing(probe),
        beside_size=True,
        progress=progress,
    )
    budget = Budget(max_flash, max_ram, max_instructions, max_cycles)
    exceeded = budget.exceeded(report)
    if as_json:
        print_json(report.to_json() | {"exceeded": list(exceeded)})
    else:
        click.echo(report.to_text())
    if exceeded:
        # Not raised: under --json that would print a second value after the report.
        click.echo(f"error: over budget: {'; '.join(exceeded)}", err=True)
        sys.exit(BudgetError.exit_code)
    if not report.passed:
        sys.exit(MismatchError.exit_code)


def _placed(
    target: "Target", run: "RunOptions", *, no_flash: bool = False, probe: str = ""
) -> "Target":
    """The target as its runner wants it. Raises OptionError for options of another runner."""
    board, place = target.board, run.runner_of(target.board)
    given = {"--port": run.port is not None, "--no-flash": no_flash, "--probe": bool(probe)}
    for option in (name for name, there in given.items() if there and place != "serial"):
        raise OptionError(
            f"{option} is for a board on a serial port, and {board.name} runs in '{place}'",
            f"leave {option} out" + (", or --runner" if run.runner else ""),
        )
    return target.in_runner(place)


@click.command()
@click.argument("models", type=MODEL, nargs=-1, required=True)
@click.option(
    "--board",
    "-b",
    "boards",
    required=True,
    multiple=True,
    help="A named board; give the option again for more.",
)
@vector_options(count=2)
@click.option("--port", help=PORT_HELP + " For one --board.")
@_RUNNER_OPTION
@click.option(
    "--baseline",
    type=MODEL,
    help="A JSON file of what other tools take: print our figures in proportion.",
)
@compile_options
@json_option
def bench(
    models: tuple[Path, ...],
    boards: tuple[str, ...],
    count: int,
    seed: int,
    port: str | None,
    runner: str | None,
    baseline: Path | None,
    options: "Options",
    as_json: bool,
) -> None:
    """Measure several MODELS on boards: instructions, cycles, flash and RAM, as a table.

    A real board is flashed with each model in turn.

    A model that cannot be measured on a board is told on stderr and left out; the exit code is then
    that of the error.
    """
    from tinygen.baseline import Baselines, ratio_lines, read_baselines
    from tinygen.board.file import load_board
    from tinygen.firmware.target import choose_target
    from tinygen.report import bench_table, choice_table
    from tinygen.run.link import RunOptions
    from tinygen.validate import Flashing, validate

    if port is not None and len(boards) > 1:
        raise OptionError("--port is for one board", "measure one board at a time")
    baselines = read_baselines(baseline) if baseline else Baselines(())
    run = RunOptions(runner=runner, port=port)
    targets = [_placed(choose_target(load_board(board)), run) for board in boards]
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
                    run=run,
                    flashing=Flashing() if target.board.platformio else None,
                    beside_size=True,
                    progress=progress,
                )
            except TinygenError as error:
                worst = max(worst, error.exit_code)
                progress(f"error: {error}\n  left out: {model.name} on {target.board.name}")
            else:
                reports.append(report)
                worst = max(worst, 0 if report.passed else MismatchError.exit_code)
    if as_json:
        print_json([_bench_json(r, baselines if baseline else None) for r in reports])
    elif reports:
        click.echo("\n".join(bench_table(reports)))
        if chosen := choice_table(reports):
            click.echo("\n" + "\n".join(chosen))
        if baseline:
            click.echo("\n" + "\n".join(ratio_lines(reports, baselines)))
    sys.exit(worst)


def _bench_json(report: "TestReport", baselines: "Baselines | None") -> dict[str, Any]:
    if baselines is None:
        return report.to_json()
    return report.to_json() | {"ratios": [r.to_json() for r in baselines.ratios(report)]}
