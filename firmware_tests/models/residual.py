"""The small model of the tests that are about everything around a model, compiled for a board."""

from firmware_tests.models import samples
from tinygen.board import Board
from tinygen.compile import Options, compile_graph
from tinygen.emit import Program

# What stands for the hash of its file, which there is none of.
SHA256 = "ab" * 32


def residual_program(board: Board, options: Options | None = None, side: int = 4) -> Program:
    """``samples.residual(side)`` compiled for ``board``."""
    core = board.core
    return compile_graph(
        samples.residual(side), "residual.tflite", SHA256, core.name, core.isa, options or Options()
    )
