"""Cycles of executed code, estimated: instruction classes priced by a table for each core.

No emulator that is at hand models a pipeline, so cycles are computed: each executed block's
instructions are priced in order, and each branch that was taken adds its refill. Memory is assumed
to answer at once. The result is a band, and it is called an estimate everywhere.
"""

from tinygen.timing.cores import CORES, CoreTiming, core_timing
from tinygen.timing.disassembly import parse_disassembly, read_image
from tinygen.timing.instruction import Image, Instruction, Kind
from tinygen.timing.model import Block, Cycles, Model, Price, estimate, price

__all__ = [
    "CORES",
    "Block",
    "CoreTiming",
    "Cycles",
    "Image",
    "Instruction",
    "Kind",
    "Model",
    "Price",
    "core_timing",
    "estimate",
    "parse_disassembly",
    "price",
    "read_image",
]
