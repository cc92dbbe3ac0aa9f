"""Instruction set extensions: what a kernel row may need, and what a core has."""

from enum import Flag, auto


class Isa(Flag):
    """Extensions beyond what plain C compiles to."""

    ANY = 0
    DSP = auto()  # Armv7E-M / Armv8-M DSP extension: SMLAD, SXTB16, SSAT
    MVE = auto()  # Armv8.1-M Helium
