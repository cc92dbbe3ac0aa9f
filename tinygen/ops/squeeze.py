"""SQUEEZE: the input without axes of size one."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ir import Op
from tinygen.ops.view import view_of


@dataclass(frozen=True, slots=True, eq=False)
class Squeeze(Op):
    """y = the elements of x in y.shape, which lacks axes of size one."""

    kind: ClassVar[str] = "SQUEEZE"


SQUEEZE = view_of(Squeeze)
