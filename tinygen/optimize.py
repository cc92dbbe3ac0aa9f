"""What the user wants most of the generated code."""

from enum import Enum


class Optimize(Enum):
    """What code and weights may take of the flash for the sake of cycles.

    SPEED: the quickest kernel of each layer and a function for each geometry; weights packed for
    it may take several times their room. BALANCED: short loops, no weights that take several times
    their room, and of what is left only what pays: each percent of flash must save a percent of
    cycles (``tinygen.tune.choose.balanced``). SIZE: weights as they are, one function for each
    kernel, and the compiler told to save code.
    """

    SPEED = "speed"
    BALANCED = "balanced"
    SIZE = "size"

    def takes_geometry(self, *, packs: bool) -> bool:
        """Whether a kernel has a function for each geometry; one that ``packs`` needs it."""
        return self is not Optimize.SIZE or packs
