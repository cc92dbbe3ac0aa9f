"""Instruction set extensions: what a kernel row may need, and what a core has."""

from enum import Flag


class Isa(Flag):
    """Extensions beyond what plain C compiles to."""

    ANY = 0
    LONG_MULTIPLY = 1  # the high word of a 32 x 32 bit product by one instruction
    DSP = 2 | LONG_MULTIPLY  # Armv7E-M / Armv8-M DSP extension: SMLAD, SXTB16, SSAT
    MVE = 4  # Armv8.1-M Helium
