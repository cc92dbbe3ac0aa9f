"""ARG_MIN: where the smallest value along an axis is."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.places import ArgExtreme, definition_of_places


@dataclass(frozen=True, slots=True, eq=False)
class ArgMin(ArgExtreme):
    """y = the index of the first smallest value along ``axis``."""

    kind: ClassVar[str] = "ARG_MIN"


ARG_MIN = definition_of_places(ArgMin, "min", np.less)
