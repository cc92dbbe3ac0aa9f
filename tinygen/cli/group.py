"""Where errors become exit codes, for every command at once."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from tinygen.errors import TinygenError

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


class Group(click.Group):
    """Turns the one error tree into words on stderr and the error's own exit code.

    Where a program reads stdout (``--json``), it gets the error there too, and nothing else.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether a program reads stdout."""
        ctx.obj = "--json" in args
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            _tell(ctx, error, error.format_message())
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; end with the error's own exit code."""
        try:
            with _ended_in_order():
                return super().invoke(ctx)
        except TinygenError as error:
            _tell(ctx, error, error.message, error.hint)
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)
        except click.UsageError as error:
            help_line = f"`{error.ctx.command_path} --help`" if error.ctx else ""
            _tell(ctx, error, error.format_message(), help_line)
            raise  # click has its own words for it
        except BrokenPipeError:
            raise  # whoever read our output has gone: click ends quietly
        except OSError as error:
            # A full disk, a directory that cannot be written: nothing of tinygen's own.
            told = error.filename is not None and error.strerror
            words = f"{error.filename}: {error.strerror}" if told else str(error)
            _tell(ctx, error, words)
            click.echo(f"error: {words}", err=True)
            ctx.exit(TinygenError.exit_code)
        except KeyboardInterrupt as error:
            _tell(ctx, error, "interrupted")
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


def _tell(ctx: click.Context, error: BaseException, message: str, hint: str = "") -> None:
    """Give the error to a program that reads stdout."""
    if ctx.obj:
        print_json({"error": {"kind": type(error).__name__, "message": message, "hint": hint}})


def print_json(value: Any) -> None:
    """Print a value for a program to read."""
    click.echo(json.dumps(value, indent=2))
