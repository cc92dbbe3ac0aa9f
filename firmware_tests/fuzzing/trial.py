"""One file through `inspect` and `generate`: success or one error, and nothing else."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from firmware_tests.fuzzing.limits import bounded
from tinygen.cli import main
from tinygen.errors import TinygenError

# Cores with kernels of their own, and a framework that has other files.
BOARDS = ("native", "mps2-an385", "microbit", "mps2-an386", "mps3-an547", "qemu-rv32imc",
          "qemu-lx106", "esp32-c3-devkitm-1", "nucleo_f446re")  # fmt: skip
NUMERICS = ("tflm", "litert")
OPTIMIZE = ("speed", "balanced", "size")
ARENAS = ("static", "caller")


class FindingError(AssertionError):
    """tinygen did with a file what it must not."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a file is compiled, drawn from its number."""

    board: str
    numerics: str
    optimize: str
    arena: str

    @property
    def arguments(self) -> list[str]:
        """The options of the command line."""
        return ["--board", self.board, "--numerics", self.numerics, "--optimize", self.optimize,
                "--arena", self.arena]  # fmt: skip


def choice_of(number: int) -> Choice:
    """The choice of mutant ``number``: every combination has its turn."""
    turn, picked = number, []
    for values in (BOARDS, NUMERICS, OPTIMIZE, ARENAS):
        picked.append(values[turn % len(values)])
        turn //= len(values)
    return Choice(*picked)


def accepts(data: bytes, choice: Choice) -> bool:
    """Whether tinygen compiles ``data``.

    Raises FindingError where a command ends in anything but success or one error, OutOfTime and
    MemoryError where it takes too much.
    """
    with tempfile.TemporaryDirectory(prefix="tinygen-fuzz-") as work, bounded():
        model = Path(work) / "model.tflite"
        model.write_bytes(data)
        inspected = [_inspect(model, choice.numerics, *form) for form in _FORMS]
        if len(set(inspected)) > 1:
            raise FindingError(f"the forms of inspect disagree: {inspected}")
        directory = Path(work) / "out"
        arguments = ["generate", str(model), "-o", str(directory), *choice.arguments]
        made = _run(arguments)
        left = sorted(p.name for p in Path(work).iterdir())
        if left != ["model.tflite", "out"][: 1 + (made.exit_code == 0)]:
            raise FindingError(f"generate with exit code {made.exit_code} leaves {left}")
        if made.exit_code == 2 and inspected[0] == 0:
            raise FindingError(f"inspect accepts what generate refuses: {made.stderr}")
        if made.exit_code != 2 and inspected[0] != 0:
            raise FindingError(f"inspect refuses what generate accepts, exit code {made.exit_code}")
        return inspected[0] == 0


_FORMS = ((), ("--json",), ("--simplify",), ("--simplify", "--json"))


def _inspect(model: Path, numerics: str, *form: str) -> int:
    """The exit code of one form of `inspect`."""
    result = _run(["inspect", str(model), "--numerics", numerics, *form])
    if "--json" in form:
        try:
            json.loads(result.stdout, parse_constant=_no_constant)
        except ValueError as error:
            raise FindingError(f"inspect {' '.join(form)} prints no JSON: {error}") from None
    elif result.exit_code == 2 and not result.stderr and "not supported" not in result.stdout:
        raise FindingError("inspect ends with exit code 2 and says nothing")
    return result.exit_code


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _run(arguments: list[str]) -> Result:
    """Run the command line. Raises FindingError for what is neither success nor one error."""
    result = CliRunner().invoke(main, arguments)
    failed = result.exception
    if failed is not None and not isinstance(failed, SystemExit):
        if isinstance(failed, MemoryError):
            raise FindingError(f"{arguments[0]} runs out of memory") from failed
        raise FindingError(f"{arguments[0]} ends in {type(failed).__name__}: {failed}") from failed
    allowed = (0, 2) if arguments[0] == "inspect" else (0, 1, 2)
    if result.exit_code not in allowed:
        raise FindingError(f"{arguments[0]} ends with exit code {result.exit_code}")
    lines = result.stderr.splitlines()
    errors = sum(line.startswith("error: ") for line in lines)
    if errors != (bool(lines)) or (lines and not lines[0].startswith("error: ")):
        raise FindingError(f"{arguments[0]} does not end in one error: {result.stderr}")
    if result.exit_code and not lines and arguments[0] != "inspect":
        raise FindingError(f"{arguments[0]} ends with {result.exit_code} and says nothing")
    if len(result.stderr) > _LONGEST_ERROR:
        raise FindingError(f"{arguments[0]} has an error of {len(result.stderr)} characters")
    return result


_LONGEST_ERROR = 200_000

assert TinygenError.exit_code == 2
