"""The two interpreters whose numbers tinygen reproduces, behind one shape of call.

They are optional (``pip install tinygen[reference]``): ``available`` tells. They may refuse models
that tinygen compiles, and where their arithmetic meets a case that it was not made for they abort
the whole process: ``ask_reference`` runs them in one of their own, which is what this module is as
a program: ``python -m tinygen.interpreters NUMERICS DIRECTORY``.

``inputs`` holds one array for each model input, in the model's order, with the vectors stacked on
a new first axis; the outputs come back alike. The vectors run in order on one interpreter, so
state persists from one to the next.
"""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tinygen.errors import ToolError
from tinygen.ir import Array, Numerics

TFLM_ARENA_BYTES = 8 << 20


def run_tflm(model: bytes, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Run TFLite Micro's reference kernels (the ``tflite-micro`` wheel)."""
    from tflite_micro.python.tflite_micro import runtime

    arena_bytes = TFLM_ARENA_BYTES + 4 * len(model)
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)
    rows = []
    for vector in zip(*inputs, strict=True):
        for index, value in enumerate(vector):
            interpreter.set_input(np.asarray(value, order="C"), index)
        interpreter.invoke()
        rows.append([interpreter.get_output(i) for i in range(_tflm_outputs(model))])
    return _stacked(rows)


def run_litert_ref(model: bytes, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Run LiteRT's reference kernels (``BUILTIN_REF`` of the ``ai-edge-litert`` wheel)."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # Without memory of its own for each tensor, the arena lets ADD overwrite what a chain of three
    # RESHAPEs shows, though the first of them is still to be read (seen in ai-edge-litert 2.3).
    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    into = [detail["index"] for detail in interpreter.get_input_details()]
    out = [detail["index"] for detail in interpreter.get_output_details()]
    rows = []
    for vector in zip(*inputs, strict=True):
        for index, value in zip(into, vector, strict=True):
            interpreter.set_tensor(index, np.asarray(value, order="C"))
        interpreter.invoke()
        rows.append([interpreter.get_tensor(index) for index in out])
    return _stacked(rows)


def available(numerics: Numerics) -> bool:
    """Whether the interpreter that defines ``numerics`` is installed."""
    name = "tflite_micro" if numerics is Numerics.TFLM else "ai_edge_litert"
    return find_spec(name) is not None


def run_reference(model: bytes, inputs: Sequence[Array], numerics: Numerics) -> tuple[Array, ...]:
    """Run the interpreter that defines ``numerics``."""
    runner = run_tflm if numerics is Numerics.TFLM else run_litert_ref
    return runner(model, inputs)


def ask_reference(model: bytes, inputs: Sequence[Array], numerics: Numerics) -> tuple[Array, ...]:
    """``run_reference`` in a process of its own. Raises ToolError where it refuses or aborts."""
    with tempfile.TemporaryDirectory(prefix="tinygen-reference-") as temporary:
        directory = Path(temporary)
        (directory / _MODEL).write_bytes(model)
        np.savez(directory / _INPUTS, *inputs)
        command = [sys.executable, "-m", __name__, numerics.value, temporary]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(f"the reference interpreter {_ending(done.returncode, done.stderr)}")
        return _load(directory / _OUTPUTS)


_MODEL, _INPUTS, _OUTPUTS = "model.tflite", "inputs.npz", "outputs.npz"


def _ending(code: int, stderr: str) -> str:
    """How a process ended that did not end well, in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    lines = stderr.strip().splitlines()
    return f"refused the model: {lines[-1]}" if lines else f"ended with status {code}"


def _load(path: Path) -> tuple[Array, ...]:
    with np.load(path, allow_pickle=False) as archive:
        return tuple(archive[f"arr_{index}"] for index in range(len(archive.files)))


def _answer(numerics: str, directory: Path) -> None:
    """The other side of ``ask_reference``."""
    model = (directory / _MODEL).read_bytes()
    outputs = run_reference(model, _load(directory / _INPUTS), Numerics(numerics))
    np.savez(directory / _OUTPUTS, *outputs)


def _tflm_outputs(model: bytes) -> int:
    """TFLite Micro's interpreter does not tell how many outputs there are."""
    import tflite

    return int(tflite.Model.GetRootAs(bytearray(model), 0).Subgraphs(0).OutputsLength())


def _stacked(rows: list[list[Array]]) -> tuple[Array, ...]:
    return tuple(np.stack(column) for column in zip(*rows, strict=True))


if __name__ == "__main__":
    _answer(sys.argv[1], Path(sys.argv[2]))
