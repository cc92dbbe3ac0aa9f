"""The command line: thin commands over the library, one place where errors become exit codes.

Results go to stdout, progress and errors to stderr. Exit codes: 0 success, 1 a failed build,
upload, validation or budget, 2 a usage or input error.
"""

import click

from tinygen import __version__
from tinygen.cli.devices import build, flash, monitor
from tinygen.cli.group import Group
from tinygen.cli.models import boards, generate, inspect
from tinygen.cli.operators import ops
from tinygen.cli.testing import bench, test
from tinygen.cli.tools import doctor
from tinygen.cli.tuning import tune


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinygen")
def main() -> None:
    """Compile quantized TensorFlow Lite models to bit-exact firmware for microcontrollers."""


for command in (boards, inspect, generate, build, flash, monitor, test, bench, tune, ops, doctor):
    main.add_command(command)
