"""MLPerf Tiny's benchmarks: what their runner sends, and which models can take it."""

from dataclasses import dataclass
from enum import Enum

from tinygen.errors import UnsupportedError
from tinygen.firmware.target import App
from tinygen.ir import DType, Graph, Tensor


class Sends(Enum):
    """What the runner's files hold, byte for byte."""

    TENSORS = "the model's inputs, one after the other"
    FEATURES = "the model's int8 input"
    PIXELS = "uint8 pixels"
    FLOATS = "32-bit floats"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark; ``model`` is the name that the runner looks for its test by."""

    title: str
    model: str
    sends: Sends


# From the reference submissions and the data sets' description in mlcommons/tiny, benchmark v1.3.
BENCHMARKS = {
    App.MLPERF_TINY_IC: Benchmark("image classification", "ic01", Sends.PIXELS),
    App.MLPERF_TINY_VWW: Benchmark("visual wake words", "vww01", Sends.PIXELS),
    App.MLPERF_TINY_KWS: Benchmark("keyword spotting", "kws01", Sends.FEATURES),
    App.MLPERF_TINY_AD: Benchmark("anomaly detection", "ad01", Sends.FLOATS),
}

_INPUT_TYPES = {
    Sends.FEATURES: (DType.INT8,),
    Sends.PIXELS: (DType.INT8, DType.UINT8),
    Sends.FLOATS: (DType.INT8, DType.FLOAT32),
}

# From 0..255 to -128..127, which is what the models were quantized for.
_SIGN_BIT = 0x80


@dataclass(frozen=True, slots=True)
class Wire:
    """What ``mlperf_config.h`` is told.

    ``buffer_bytes`` is one inference's input as the runner sends it, ``flip`` what each of its
    bytes is combined with by exclusive or; ``staged_bytes`` is the size of the input that floats
    are quantized into, 0 where none are.
    """

    model: str
    sends: str
    buffer_bytes: int
    flip: int
    staged_bytes: int


def wire(name: str, graph: Graph, app: App) -> Wire:
    """How the model ``name`` is reached as the benchmark ``app``.

    ``App.MLPERF_TINY`` takes any model under its own name. Raises UnsupportedError for a model that
    cannot be the benchmark.
    """
    benchmark = BENCHMARKS.get(app)
    if benchmark is None:
        return Wire(name, Sends.TENSORS.value, sum(x.nbytes for x in graph.inputs), 0, 0)
    problem = _problem(benchmark.sends, graph)
    if problem:
        raise UnsupportedError(
            f"{name} cannot be MLPerf Tiny's {benchmark.title}: {problem}",
            f"--app {App.MLPERF_TINY.value} serves any model, with its tensors' own bytes",
        )
    x, sends = graph.inputs[0], benchmark.sends
    floats = sends is Sends.FLOATS
    return Wire(
        benchmark.model,
        sends.value,
        buffer_bytes=x.elements * DType.FLOAT32.size if floats else x.nbytes,
        flip=_SIGN_BIT if sends is Sends.PIXELS and x.dtype is DType.INT8 else 0,
        staged_bytes=x.nbytes if floats else 0,
    )


def _problem(sends: Sends, graph: Graph) -> str:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return (
            f"it has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, not one of each"
        )
    x, y = graph.inputs[0], graph.outputs[0]
    types = _INPUT_TYPES[sends]
    if x.dtype not in types or not _has_values(x):
        wanted = " or ".join(t.value for t in types)
        return f"its runner sends {sends.value}, and the input is {x}, not {wanted}"
    if sends is Sends.FLOATS and x.elements != y.elements:
        return f"its result compares {x.elements} inputs with as many outputs, not {y.elements}"
    return ""


def _has_values(x: Tensor) -> bool:
    """Whether real numbers can be told from the elements: floats, or one scale and zero point."""
    return x.dtype is DType.FLOAT32 or (x.quant is not None and not x.quant.per_channel)
