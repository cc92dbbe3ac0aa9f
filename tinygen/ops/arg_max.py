"""ARG_MAX: where the largest value along an axis is."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.places import ArgExtreme, definition_of_places


@dataclass(frozen=True, slots=True, eq=False)
class ArgMax(ArgExtreme):
    """y = the index of the first largest value along ``axis``."""

    kind: ClassVar[str] = "ARG_MAX"


ARG_MAX = definition_of_places(ArgMax, "max", np.greater)
