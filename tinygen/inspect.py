"""What a model holds, compilable or not: the report of `tinygen inspect`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinygen.agreement import is_hybrid, model_tolerance, operators_in
from tinygen.errors import ModelError
from tinygen.frontend.tensors import TensorInfo
from tinygen.frontend.tflite import Inspection, Layer, inspect_model, read_model
from tinygen.frontend.variables import SILENT
from tinygen.ir import Numerics
from tinygen.names import file_name
from tinygen.ops import BY_KIND, definition_of
from tinygen.simplification import Simplification, simplification_of
from tinygen.tables import table


@dataclass(frozen=True, slots=True)
class TensorSummary:
    """A tensor as the report shows it; ``scale`` and ``zero_point`` are empty if not quantized."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None
    constant: bool

    def __str__(self) -> str:
        quant = ""
        if len(self.scale) == 1:
            quant = f" s={self.scale[0]:.6g} z={self.zero_point[0]}"
        elif self.scale:
            quant = f" s=[{len(self.scale)}]@{self.axis}"
        return f"{self.dtype}[{','.join(map(str, self.shape))}]{quant}"


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One operator; ``macs`` is None where tinygen does not know it. Weights in bytes."""

    op: str
    name: str
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]
    macs: int | None
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class InspectReport:
    """All of a model. ``activation_bytes`` is the most bytes of activations alive at one operator,
    in the file's order: the arena's lower bound. None where a tensor's size is not known.

    ``notes`` tell of float32, how exact the outputs are and whose numbers they follow.
    """

    model: str
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]
    layers: tuple[LayerSummary, ...]
    macs: int
    weight_bytes: int
    activation_bytes: int | None
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        return {"supported": not self.problems, **asdict(self)}

    def to_text(self) -> str:
        """The report as a person reads it."""
        rows = [("layer", "operator", "MACs", "weights", "output", "name")]
        for index, layer in enumerate(self.layers):
            macs = "?" if layer.macs is None else f"{layer.macs:,}" if layer.macs else ""
            output = "; ".join(str(t) for t in layer.outputs)
            weights = f"{layer.weight_bytes:,}" if layer.weight_bytes else ""
            rows.append((str(index), layer.op, macs, weights, output, layer.name))
        bound = self.activation_bytes
        lines = [
            self.model,
            *(f"input {i}   {t}  '{t.name}'" for i, t in enumerate(self.inputs)),
            *(f"output {i}  {t}  '{t.name}'" for i, t in enumerate(self.outputs)),
            "",
            *table(rows, right=(2, 3)),
            "",
            f"{self.macs:,} MACs, {self.weight_bytes:,} bytes of weights, "
            "activations need at least "
            + ("an unknown number of bytes" if bound is None else f"{bound:,} bytes"),
        ]
        lines += self.notes
        if self.problems:
            lines += ["", f"not supported ({len(self.problems)}):"]
            lines += [f"  - {problem}" for problem in self.problems]
        return "\n".join(lines)


def inspect_file(path: Path, numerics: Numerics) -> InspectReport:
    """Read all that can be read of the model at ``path``. Raises ModelError if it is malformed."""
    found = inspect_model(_bytes_of(path), file_name(path), numerics)
    broken = bool(found.problems)
    layers = tuple(_layer(layer, broken=broken) for layer in found.layers)
    constants = {
        info for layer in found.layers for info in layer.inputs if info and info.is_constant
    }
    return InspectReport(
        model=file_name(path),
        inputs=tuple(_tensor(t) for t in found.inputs),
        outputs=tuple(_tensor(t) for t in found.outputs),
        layers=layers,
        macs=sum(layer.macs or 0 for layer in layers),
        weight_bytes=sum(info.nbytes for info in constants),
        activation_bytes=live_bytes(found),
        problems=found.problems,
        notes=_notes(found),
    )


def _notes(found: Inspection) -> tuple[str, ...]:
    """What a reader must know of a model that computes in float32."""
    if found.graph is None or found.problems:
        return ()
    tolerance = model_tolerance(found.graph)
    count = sum(is_hybrid(op) for op in operators_in(found.graph))
    notes = [] if tolerance.exact else [f"float32 outputs may differ by {tolerance}"]
    if count:
        notes.append(
            f"{count} of the operators quantize their float32 input for int8 weights, as LiteRT "
            "does, under both numerics"
        )
    return tuple(notes)


def simplify_file(path: Path, numerics: Numerics) -> Simplification:
    """What the passes make of the model at ``path``. Raises ModelError, UnsupportedError."""
    return simplification_of(read_model(_bytes_of(path), file_name(path), numerics))


def live_bytes(found: Inspection) -> int | None:
    """The most bytes of activations alive at one operator; a view shares its input's bytes.

    Inputs are alive from the start and outputs to the end.
    """
    home: dict[TensorInfo, TensorInfo] = {t: t for t in found.inputs}
    last: dict[TensorInfo, int] = dict.fromkeys(found.inputs, 0)
    first = dict.fromkeys(found.inputs, 0)
    for index, layer in enumerate(found.layers):
        activations = [t for t in layer.inputs if t is not None and t in home]
        for tensor in activations:
            last[home[tensor]] = index
        for tensor in layer.outputs:
            view = layer.kind in BY_KIND and BY_KIND[layer.kind].is_view and bool(activations)
            home[tensor] = home[activations[0]] if view else tensor
            first.setdefault(home[tensor], index)
            last[home[tensor]] = index
    last |= {home[t]: len(found.layers) for t in found.outputs if t in home}
    first = {t: step for t, step in first.items() if t.type_name != "resource"}
    sizes = {t: t.tensor.nbytes for t in first if t.tensor is not None}
    if len(sizes) < len(first):
        return None
    steps = range(max(1, len(found.layers)))
    return max(sum(sizes[t] for t in first if first[t] <= i <= last[t]) for i in steps)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None


def _layer(layer: Layer, *, broken: bool) -> LayerSummary:
    macs = 0 if layer.kind in SILENT else None
    if layer.op is not None:
        try:
            macs = definition_of(layer.op).macs(layer.op)
        except ValueError:
            # An operator that breaks its rules may lack what its MACs are counted from.
            if not broken:
                raise
    return LayerSummary(
        op=layer.kind,
        name=layer.name,
        inputs=tuple(_tensor(t) for t in layer.inputs if t is not None),
        outputs=tuple(_tensor(t) for t in layer.outputs),
        macs=macs,
        weight_bytes=sum(
            info.nbytes for info in layer.inputs if info is not None and info.is_constant
        ),
    )


def _tensor(info: TensorInfo) -> TensorSummary:
    quant = info.quant
    return TensorSummary(
        name=info.name,
        dtype=info.type_name,
        shape=info.shape,
        scale=quant.scale if quant else (),
        zero_point=quant.zero_point if quant else (),
        axis=quant.axis if quant else None,
        constant=info.is_constant,
    )
