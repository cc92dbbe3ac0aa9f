"""What a random graph has so far, and the dice: the state that ``random_ops`` draws with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from firmware_tests.kernels.tensors import float32, quantized
from firmware_tests.kernels.weighted import CLAMPS
from tinygen.ir import Activation, DType, Numerics, Op, Tensor
from tinygen.ops import definition_of

MAX_ELEMENTS = 700
MAX_RANK = 5
FLOAT_INPUT_SPAN = 200.0  # what draw_vectors gives inputs that are quantized by SCALES at most
SCALES = (1e-3, 0.5)

T = TypeVar("T")
Shape = tuple[int, ...]


class Illegal(Exception):  # noqa: N818 - a draw that is discarded is no error
    """This draw makes no operator; try another."""


@dataclass
class Scene:
    """What a graph has so far. ``tensors`` are those that operators may read, oldest first.

    ``magnitude`` bounds the absolute values of float tensors.
    """

    rng: np.random.Generator
    numerics: Numerics
    tensors: list[Tensor] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    magnitude: dict[Tensor, float] = field(default_factory=dict)
    named: int = 0

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def integer(self, low: int, high: int) -> int:
        """From ``low`` to ``high``, both included."""
        return int(self.rng.integers(low, high + 1))

    def choice(self, items: Sequence[T]) -> T:
        if not items:
            raise Illegal
        return items[self.integer(0, len(items) - 1)]

    def pick(self, fits: Callable[[Tensor], bool]) -> Tensor:
        """A tensor that fits, the newest more often than not."""
        found = [t for t in self.tensors if fits(t)]
        return found[-1] if found and self.chance(0.5) else self.choice(found)

    def name(self) -> str:
        self.named += 1
        return f"t{self.named}"

    def scale(self) -> float:
        """Plausible, or at times far from it."""
        if self.chance(0.08):
            return float32(2.0 ** self.rng.uniform(-19, 10))
        low, high = np.log(SCALES)
        return float32(float(np.exp(self.rng.uniform(low, high))))

    def zero_point(self) -> int:
        return self.choice((-128, 127, 0, self.integer(-128, 127), self.integer(-128, 127)))

    def tensor(self, shape: Shape, scale: float | None = None) -> Tensor:
        """A new int8 tensor, its quantization drawn."""
        return quantized(self.name(), shape, scale or self.scale(), self.zero_point())

    def like(self, x: Tensor, shape: Shape | None = None) -> Tensor:
        """A new tensor of the type and quantization of ``x``."""
        return Tensor(self.name(), x.shape if shape is None else shape, x.dtype, x.quant)

    def clamp(self) -> Activation:
        return self.choice((Activation.NONE, *CLAMPS))

    def add(self, op: Op) -> Tensor:
        """Append ``op``. Raises Illegal where the operator table refuses it."""
        if max(t.elements for t in op.outputs) > MAX_ELEMENTS or definition_of(op).violations(op):
            raise Illegal
        self.ops.append(op)
        self.tensors += op.outputs
        if op.y.dtype is DType.FLOAT32 and op.x in self.magnitude:
            self.magnitude[op.y] = max(self.magnitude.get(t, 0.0) for t in op.inputs)
        return op.y

    def constant_like(self, x: Tensor, shape: Shape) -> Tensor:
        """A constant of the type and quantization of ``x``."""
        data = self.rng.integers(-100, 100, shape).astype(x.dtype.numpy)
        return replace(self.like(x, shape), data=data)


def is_int8(t: Tensor) -> bool:
    return t.dtype is DType.INT8


def is_image(t: Tensor) -> bool:
    return is_int8(t) and len(t.shape) == 4


def is_vector(t: Tensor) -> bool:
    return is_int8(t) and len(t.shape) > 0


def thinned(scene: Scene, shape: Shape) -> Shape:
    """A shape that broadcasts to ``shape``."""
    kept = tuple(n if scene.chance(0.6) else 1 for n in shape)
    return kept[scene.integer(0, len(kept)) :] if scene.chance(0.5) else kept
