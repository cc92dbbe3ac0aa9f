"""The shared model corpus, where a checkout has it beside itself."""

import json
import os
import sys
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from tinygen.board import Board
from tinygen.frontend.variables import KINDS
from tinygen.ops import BY_KIND

# What the manifest calls the element types of a model's activations.
FLOATING = ("float32", "hybrid")
COMPILED = ("int8", "int16", "int16+int8", "int32", "uint8", *FLOATING)
ROOT = Path(__file__).parents[3] / "shared" / "models"
BOARDS = (
    "microbit", "mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547",
    "qemu-rv32imc", "qemu-lx106",
)  # fmt: skip
ALWAYS = ("mps2-an386", "mps3-an547")  # those with most kernels of their own


@dataclass(frozen=True)
class Entry:
    """One model of the corpus."""

    facts: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    @property
    def model(self) -> Path:
        return ROOT / str(self.facts["file"])

    @property
    def golden(self) -> Path:
        return ROOT / str(self.facts["golden"]["file"])

    @property
    def vectors(self) -> int:
        return len(self.facts["golden"]["vectors"])

    @property
    def references(self) -> tuple[str, ...]:
        """The numerics whose outputs the golden file holds; of uint8, LiteRT's are both's."""
        if self.facts["class"] == "uint8":
            return ("tflm", "litert")
        kind = self.facts["golden"]["references"]
        return {"tflm_only": ("tflm",), "litert_only": ("litert",)}.get(kind, ("tflm", "litert"))

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The model's operators that tinygen has no entry for."""
        kinds = (op.removeprefix("CUSTOM:") for op in self.facts["ops"])
        return tuple(kind for kind in kinds if kind not in BY_KIND and kind not in KINDS)

    def exceeds(self, board: Board) -> bool:
        """Whether weights or live tensors alone fill the board, give or take code and stack."""
        flash, ram = board.flash_bytes or sys.maxsize, board.ram_bytes or sys.maxsize
        live = int(self.facts["peak_live_bytes"])
        weights = int(self.facts["weights_bytes"])
        return live + 3072 > ram or weights + 16384 > flash


def _entries() -> list[Entry]:
    manifest = ROOT / "MANIFEST.json"
    if not manifest.is_file():
        return []
    return [Entry(facts) for facts in json.loads(manifest.read_text())["models"]]


def compiled_models() -> list[Entry]:
    """Models of these classes whose operators are all in the table."""
    return [e for e in _entries() if e.facts["class"] in COMPILED and not e.unsupported]


def emulated_runs() -> list[tuple[Entry, str]]:
    """Which compiled model runs on which board; with ``TINYGEN_EVERY_CORE`` set, all on all.

    Else models of one operator, of which there are many, and those of floats take one board each,
    in turn, and other models those that are always taken and one more.
    """
    if os.environ.get("TINYGEN_EVERY_CORE"):
        return [(entry, board) for entry in compiled_models() for board in BOARDS]
    every, others = cycle(BOARDS), cycle(board for board in BOARDS if board not in ALWAYS)
    runs = []
    for entry in compiled_models():
        if sum(entry.facts["ops"].values()) == 1 or entry.facts["class"] in FLOATING:
            taken: tuple[str, ...] = (next(every),)
        else:
            taken = (*ALWAYS, next(others))
        runs += [(entry, board) for board in taken]
    return runs


def other_models() -> list[Entry]:
    """All the rest: other operators."""
    compiled = {e.id for e in compiled_models()}
    return [e for e in _entries() if e.id not in compiled]
