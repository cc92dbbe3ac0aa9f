"""The command that measures kernels."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinygen.cli.group import print_json
from tinygen.cli.options import MODEL, json_option, numerics_option, progress, target_options
from tinygen.errors import OptionError

if TYPE_CHECKING:
    from tinygen.firmware.target import Target


@click.command()
@click.argument("model", type=MODEL)
@target_options
@click.option(
    "--optimize",
    type=click.Choice(["speed", "balanced"]),
    default="speed",
    show_default=True,
    help="Among which kernels to choose.",
)
@numerics_option
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file for the choice; default: beside the model, MODEL.tuning.toml.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where measurements are kept; default: the user's cache directory.",
)
@json_option
def tune(
    model: Path,
    target: "Target",
    optimize: str,
    numerics: str,
    output: Path | None,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Measure in emulation which kernel is the quickest for each layer of MODEL on a board.

    The choice goes into a file, which `generate`, `test` and `bench` take as --tuning: they
    measure nothing then. A board that no emulator has is measured on one of the same core.
    """
    from tinygen.compile import Options
    from tinygen.ir import Numerics
    from tinygen.model import load_model
    from tinygen.optimize import Optimize
    from tinygen.run.plugin import cache_dir
    from tinygen.tune.cache import Cache
    from tinygen.tune.file import write_whole
    from tinygen.tune.measure import tune as run_tune

    file = output or model.with_suffix(".tuning.toml")
    if not os.access(file.parent, os.W_OK):
        raise OptionError(f"cannot write into {file.parent}", "name another file: -o FILE")
    options = Options(numerics=Numerics(numerics), optimize=Optimize(optimize))
    loaded = load_model(model, options.numerics)
    report = run_tune(loaded, target, options, Cache(cache or cache_dir()), progress)
    write_whole(file, report.tuning.to_text())
    if as_json:
        print_json(report.to_json() | {"file": str(file)})
    else:
        click.echo(report.to_text())
        click.echo(f"wrote {file}: give it to generate, test or bench as --tuning")
