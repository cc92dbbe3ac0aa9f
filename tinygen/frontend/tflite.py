"""Read a .tflite file into a graph, rewriting nothing.

A file is either malformed (ModelError, at the first contradiction) or sound. A sound file may
hold things that tinygen does not compile; these are collected, so that a user sees them all at
once: ``read_model`` raises one UnsupportedError for them, ``inspect_model`` returns them.
"""

from pathlib import PurePath

from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.flatbuffer import HINT, verify
from tinygen.frontend.layers import Inspection, Layer
from tinygen.frontend.reader import Reader
from tinygen.frontend.schema import IDENTIFIER, model_layout
from tinygen.ir import Graph, Numerics

__all__ = ["Inspection", "Layer", "inspect_model", "read_model"]


def read_model(data: bytes, file_name: str, numerics: Numerics) -> Graph:
    """The graph of a .tflite file; ``file_name`` names the graph and is in every message.

    Raises ModelError for a malformed file, UnsupportedError with everything that tinygen does not
    compile.
    """
    found = inspect_model(data, file_name, numerics)
    if found.problems:
        lines = "".join(f"\n  - {problem}" for problem in found.problems)
        count = "1 thing" if len(found.problems) == 1 else f"{len(found.problems)} things"
        raise UnsupportedError(
            f"{file_name}: the model holds {count} that tinygen does not compile:{lines}",
            "'tinygen inspect' shows every operator of the model",
        )
    assert found.graph is not None
    return found.graph


def inspect_model(data: bytes, file_name: str, numerics: Numerics) -> Inspection:
    """Read all of a .tflite file that can be read.

    Raises ModelError for a malformed file, UnsupportedError for one with too many operators.
    """
    try:
        _check_header(data)
        verify(data, model_layout())
        return Reader(data, PurePath(file_name).stem, numerics).inspection()
    except (ModelError, UnsupportedError) as error:
        raise type(error)(f"{file_name}: {error.message}", error.hint or HINT) from None


def _check_header(data: bytes) -> None:
    hint = "give a TensorFlow Lite model, a file that ends in .tflite"
    if not data:
        raise ModelError("the file is empty", hint)
    if data[4:8] != IDENTIFIER:
        raise ModelError("not a TFLite flatbuffer: the identifier TFL3 is missing", hint)
