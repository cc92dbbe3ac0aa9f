"""Addresses of an image in words, for error messages."""

from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile


def address_words(image: Path, address: int) -> str:
    """``function+0x12``, or the bare address where no function of the ELF file holds it."""
    bare = f"0x{address:08x}"
    code = address & ~1  # the lowest bit of a code address is Arm's Thumb bit
    try:
        with image.open("rb") as file:
            table = ELFFile(file).get_section_by_name(".symtab")
            for symbol in table.iter_symbols() if table is not None else ():
                start = symbol["st_value"] & ~1
                is_function = symbol["st_info"]["type"] == "STT_FUNC"
                if is_function and start <= code < start + symbol["st_size"]:
                    return f"{symbol.name}+0x{code - start:x}"
    except (OSError, ELFError):
        return bare
    return bare
