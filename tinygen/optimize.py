"""What the user wants most of the generated code."""

from enum import Enum


class Optimize(Enum):
    """Speed: functions for one geometry each, and weights packed for them. Size: neither."""

    SPEED = "speed"
    SIZE = "size"
