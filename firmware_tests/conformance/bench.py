"""The scene of a graph of one operator: whatever a draw asks for is an input made for it.

So the draws of random graphs (``random_ops`` and its kin) serve here as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from firmware_tests.kernels.tensors import float32, plain, quantized
from firmware_tests.models.scene import FLOAT_INPUT_SPAN, Illegal, Scene, Shape
from tinygen.ir import DType, Op, QuantParams, Tensor

PATIENCE = 60  # inputs to make before none is found that fits
CHANNELS = (1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17)
EXTREME = 0.15  # how many scales are far from plausible
HALF_STEPS = 256  # of int16 in one of int8


@dataclass
class Bench(Scene):
    """A scene without a past. ``dtype`` is what half of the inputs are; the others are int8 mostly,
    which ``retyped`` makes something else of."""

    dtype: DType = DType.INT8
    tried: list[Op] = field(default_factory=list)

    def add(self, op: Op) -> Tensor:
        """As a scene does; what it refuses may be legal on another type, so it is kept."""
        self.tried.append(op)
        return super().add(op)

    def pick(self, fits: Callable[[Tensor], bool]) -> Tensor:
        """A new input that fits, or one there already. Raises Illegal where none is found."""
        found = [t for t in self.tensors if fits(t) and not t.is_constant]
        if found and self.chance(0.2):
            return self.choice(found)
        shapes = [t.shape for t in self.tensors]
        for _ in range(PATIENCE):
            alike = bool(shapes) and self.chance(0.5)
            x = self.input(self.choice(shapes) if alike else self.shape())
            if fits(x):
                self.tensors.append(x)
                return x
        raise Illegal

    def input(self, shape: Shape) -> Tensor:
        """A new input, of the type that is asked for or any other."""
        kinds = (self.dtype, self.dtype, DType.INT8, DType.INT8, self.choice(tuple(DType)))
        return self.tensor_of(self.choice(kinds), shape)

    def tensor_of(self, dtype: DType, shape: Shape, scale: float | None = None) -> Tensor:
        """A new tensor of ``dtype``, its quantization drawn; 16 bits span what 8 do."""
        name, scale = self.name(), scale or self.scale()
        if dtype is DType.INT8:
            return quantized(name, shape, scale, self.zero_point())
        if dtype is DType.UINT8:
            return quantized(name, shape, scale, self.zero_point() + 128, dtype=dtype)
        if dtype is DType.INT16:
            return quantized(name, shape, float32(scale / HALF_STEPS), 0, dtype=dtype)
        x = plain(name, shape, dtype)
        if dtype is DType.FLOAT32:
            self.magnitude[x] = FLOAT_INPUT_SPAN
        return x

    def quantized_like(self, x: Tensor, scale: float) -> Tensor:
        """``x`` with another scale, its zero point kept or 0."""
        zero = x.quant.zero_point if x.quant else (0,)
        return replace(x, quant=QuantParams((float32(scale),), zero))

    def scale(self) -> float:
        """Plausible, or at times tiny or huge."""
        if self.chance(EXTREME):
            return float32(2.0 ** self.rng.uniform(-24, 12))
        return super().scale()

    def shape(self) -> Shape:
        """An image, mostly; any rank from 0 to 5 else, with odd sizes."""
        if self.chance(0.35):
            return tuple(self.integer(1, 7) for _ in range(self.integer(0, 5)))
        batch = 1 if self.chance(0.7) else self.integer(2, 4)
        return (batch, self.integer(1, 9), self.integer(1, 9), self.choice(CHANNELS))
