"""The command that lists operators."""

import click

from tinygen.cli.group import print_json
from tinygen.cli.options import json_option


@click.command()
@click.option("--op", "name", help="One operator in full, by its TFLite name.")
@click.option("--markdown", is_flag=True, help="Print the page docs/operators.md.")
@json_option
def ops(name: str | None, markdown: bool, as_json: bool) -> None:
    """List the operators: types, numerics, kernels, and the conformance cases of each."""
    from tinygen.conformance import load_counts
    from tinygen.operators import operator_text, operators_of, operators_page, operators_table
    from tinygen.ops import BY_KIND, OPS

    chosen = OPS
    if name is not None:
        chosen = tuple(d for kind, d in BY_KIND.items() if kind.upper() == name.upper())
        if not chosen:
            raise click.UsageError(f"there is no operator {name}; `tinygen ops` lists them")
    found = operators_of(chosen, load_counts())
    if as_json:
        values = [operator.to_json() for operator in found]
        print_json(values[0] if name else values)
    elif markdown:
        click.echo(operators_page(found), nl=False)
    else:
        click.echo("\n".join(operator_text(found[0]) if name else operators_table(found)))
