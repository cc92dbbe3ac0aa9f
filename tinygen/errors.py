"""The one tree of errors that a user can act on.

Anything else that escapes is a bug and shows its traceback.
"""

from typing import ClassVar


class TinygenError(Exception):
    """An error with a message that says what happened and a hint that says what to do."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class OptionError(TinygenError):
    """Choices that do not go together, or not with the board."""


class ModelError(TinygenError):
    """The model file is malformed: it cannot be read as a TFLite flatbuffer."""


class UnsupportedError(TinygenError):
    """The model is sound, but holds something that tinygen does not compile."""


class BoardError(TinygenError):
    """A board is unknown, or its file is wrong."""


class VectorsError(TinygenError):
    """A vectors file does not belong to the model."""


class ToolError(TinygenError):
    """A program that the job needs is missing or too old."""


class BuildError(TinygenError):
    """The C compiler or the linker refused; carries its own words."""

    exit_code = 1


class BudgetError(TinygenError):
    """The firmware needs more memory than the board has."""

    exit_code = 1


class DeviceError(TinygenError):
    """The firmware crashed, hung, or answered what it must not."""

    exit_code = 1


class MismatchError(TinygenError):
    """Outputs differ from the reference."""

    exit_code = 1
