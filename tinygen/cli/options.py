"""Options that several commands share. Each group of them reaches its command as one value."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

PORT_HELP = "The board's serial port, or any URL that pyserial opens."
PROBE_HELP = "How to upload: PROTOCOL, PROTOCOL:SERIAL, or the SERIAL number of the probe."

MODEL = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
PROJECT = click.Path(exists=True, file_okay=False, path_type=Path)


def progress(text: str) -> None:
    """Tell a person what goes on."""
    click.echo(text, err=True)


def json_option(command: Command) -> Command:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")(command)


def board_option(command: Command) -> Command:
    """``--board``, required."""
    return click.option(
        "--board",
        "-b",
        required=True,
        help="A named board (`tinygen boards` lists them), or a board file.toml.",
    )(command)


def vector_options(count: int) -> Callable[[Command], Command]:
    """``--count``, which is ``count`` by default, and ``--seed``: of the inputs that are drawn."""

    def decorated(command: Command) -> Command:
        least = click.IntRange(min=0)
        command = click.option(
            "--seed", type=least, default=0, show_default=True, help="Seed of drawn vectors."
        )(command)
        return click.option(
            "--count",
            type=click.IntRange(min=1),
            default=count,
            show_default=True,
            help="How many vectors to draw.",
        )(command)

    return decorated


def numerics_option(command: Command) -> Command:
    """``--numerics``."""
    return click.option(
        "--numerics",
        type=click.Choice(["tflm", "litert"]),
        default="tflm",
        show_default=True,
        help="Whose reference kernels to reproduce, bit for bit, where the two differ.",
    )(command)


def compile_options(command: Command) -> Command:
    """The options that decide what code is generated, as ``options``."""
    return _collected(
        command,
        "options",
        _options,
        (
            click.option(
                "--arena",
                type=click.Choice(["static", "caller"]),
                default="static",
                show_default=True,
                help="Who owns the arena: the generated code, or its caller.",
            ),
            click.option(
                "--optimize",
                type=click.Choice(["speed", "balanced", "size"]),
                default="speed",
                show_default=True,
                help="The quickest kernels that flash has room for; short loops and packed weights "
                "that pay; or the least flash, and -Os.",
            ),
            click.option(
                "--place",
                type=click.Choice(["kernels=flash", "kernels=ram"]),
                default="kernels=flash",
                show_default=True,
                help="From where the kernels that multiply run.",
            ),
            numerics_option,
            click.option(
                "--tuning",
                type=MODEL,
                help="The kernels that `tinygen tune` has chosen, as it has written them.",
            ),
            click.option(
                "--name", default="", help="Prefix of the generated C; default: the file's."
            ),
        ),
    )


def target_options(command: Command) -> Command:
    """The board and what it leaves open, as ``target``."""
    return _collected(
        command,
        "target",
        _target,
        (
            click.option(
                "--psram", is_flag=True, help="Put the arena into the board's external RAM."
            ),
            click.option(
                "--app",
                type=click.Choice(
                    ["device", "mlperf-tiny"]
                    + [f"mlperf-tiny:{benchmark}" for benchmark in ("ad", "ic", "kws", "vww")]
                ),
                default="device",
                show_default=True,
                help="What the firmware speaks: tinygen's protocol, or MLPerf Tiny's: for any "
                "model, or as one of its benchmarks.",
            ),
            click.option(
                "--framework",
                type=click.Choice(["bare", "arduino", "espidf", "stm32cube", "host"]),
                help="What the firmware stands on; default: the board's first.",
            ),
            board_option,
        ),
    )


def _options(
    name: str, numerics: str, optimize: str, arena: str, place: str, tuning: Path | None
) -> Any:
    from tinygen import ctext
    from tinygen.compile import Options
    from tinygen.emit import ArenaKind, Place
    from tinygen.instances import Optimize
    from tinygen.ir import Numerics
    from tinygen.tune.file import read_tuning

    usable = ctext.identifier(name)
    if name and name != usable:
        raise click.BadParameter(
            f"'{name}' cannot prefix C names and files; '{usable}' can", param_hint="--name"
        )
    return Options(
        name,
        Numerics(numerics),
        Optimize(optimize),
        ArenaKind(arena),
        Place(place.removeprefix("kernels=")),
        read_tuning(tuning) if tuning else None,
    )


def _target(board: str, framework: str | None, app: str, psram: bool) -> Any:
    from tinygen.board.file import load_board
    from tinygen.firmware.target import App, choose_target

    return choose_target(load_board(board), framework, App(app), psram=psram)


def _collected(
    command: Command, name: str, collect: Command, options: tuple[Command, ...]
) -> Command:
    """``command`` with ``options``, whose values ``collect`` makes its argument ``name``."""
    words = collect.__code__.co_varnames[: collect.__code__.co_argcount]

    @wraps(command)
    def collecting(**values: Any) -> Any:
        return command(**{name: collect(**{w: values.pop(w) for w in words})}, **values)

    result: Command = collecting
    for option in options:
        result = option(result)
    return result
