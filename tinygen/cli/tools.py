"""The command that looks for tools."""

import sys

import click

from tinygen.cli.group import print_json
from tinygen.cli.options import json_option


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """List the tools that each workflow needs, found or not, and the line that installs them."""
    from dataclasses import asdict

    from tinygen.doctor import checks
    from tinygen.tables import doctor_table

    found = checks()
    if as_json:
        print_json([asdict(check) for check in found])
    else:
        click.echo("\n".join(doctor_table(found)))
    if any(check.required and not check.found for check in found):
        sys.exit(2)
