"""What a linked image takes of its board, read from the ELF file by address."""

from collections import Counter
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinygen.board import Board, MemoryKind, MemoryRegion
from tinygen.errors import BudgetError, BuildError
from tinygen.firmware.manifest import Manifest


def image_sizes(
    image: Path, manifest: Manifest, board: Board
) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of flash and of RAM that ``image`` takes.

    ``total`` = ``weights`` + ``code`` for flash, ``arena`` + ``stack`` + ``other`` for RAM, there
    also ``code`` where some runs from RAM. Both have ``limit`` where the board has one. What is
    initialized counts as flash wherever it runs from, for its first values lie there. RAM is what
    lies in a RAM region of the board's, whoever has written the linker script, and an arena that
    comes from the heap; the host has no regions, and RAM is what can be written.

    Raises BuildError for a damaged image, BudgetError for one that is larger than the board.
    """
    try:
        with image.open("rb") as file:
            elf = ELFFile(file)
            used, flash, ram, stack, code = _sections(elf, board)
            symbols = elf.get_section_by_name(".symtab")
            sizes = {s.name: s["st_size"] for s in symbols.iter_symbols()} if symbols else {}
    except (OSError, ELFError) as error:
        raise BuildError(f"cannot read the sizes of {image}: {error}") from None
    weights = sum(sizes.get(name, 0) for name in manifest.constants)
    arena = sizes.get(manifest.arena_symbol, 0)
    # The linker does not know what the firmware will take from the heap.
    for region in board.regions:
        if region.name == manifest.heap_region:
            used[region] += manifest.heap_bytes
            arena = manifest.heap_bytes if region.kind is MemoryKind.RAM else 0
            ram += arena
    in_flash = {"total": flash, "weights": weights, "code": flash - weights}
    in_ram = {"total": ram, "arena": arena, "stack": stack}
    if code:
        in_ram["code"] = code
    in_ram["other"] = ram - arena - stack - code
    if board.flash_bytes is not None and board.ram_bytes is not None:
        in_flash["limit"], in_ram["limit"] = board.flash_bytes, board.ram_bytes
        _check_budget(board, used, in_flash, in_ram)
    return in_flash, in_ram


def _sections(elf: ELFFile, board: Board) -> tuple[Counter[MemoryRegion], int, int, int, int]:
    """Bytes by region, in flash, in RAM, of the stack, and of code in RAM."""
    used: Counter[MemoryRegion] = Counter()
    flash = ram = stack = code = 0
    for section in elf.iter_sections():
        flags, size = section["sh_flags"], section["sh_size"]
        if not flags & SH_FLAGS.SHF_ALLOC:
            continue
        if section["sh_type"] != "SHT_NOBITS":
            flash += size
        region = _region(board, section["sh_addr"])
        if region is not None:
            used[region] += size
        written = not board.regions and flags & SH_FLAGS.SHF_WRITE
        if written or (region is not None and region.kind is MemoryKind.RAM):
            ram += size
            code += size if board.regions and flags & SH_FLAGS.SHF_EXECINSTR else 0
        if section.name == ".stack":
            stack = size
    return used, flash, ram, stack, code


def _region(board: Board, address: int) -> MemoryRegion | None:
    return next((r for r in board.regions if r.origin <= address < r.end), None)


def _check_budget(
    board: Board, used: Counter[MemoryRegion], flash: dict[str, int], ram: dict[str, int]
) -> None:
    lines = [
        too_large(region, used[region] - region.size)
        for region in board.regions
        if used[region] > region.size
    ]
    for title, sizes in (("flash", flash), ("RAM", ram)):
        if not lines and sizes["total"] > sizes["limit"]:
            lines.append(
                f"  the board has {sizes['limit']:,} bytes of {title}; {sizes['total']:,} are "
                f"needed, {sizes['total'] - sizes['limit']:,} too many"
            )
    if lines:
        raise does_not_fit(board, lines, flash=flash["total"] > flash["limit"])


def too_large(region: MemoryRegion, excess: int) -> str:
    """The line that tells by how much a region overflows."""
    return (
        f"  {region.kind.value} '{region.name}' has {region.size:,} bytes; "
        f"{region.size + excess:,} are needed, {excess:,} too many"
    )


def does_not_fit(board: Board, lines: list[str], *, flash: bool) -> BudgetError:
    """The error that ``lines`` belong to; ``flash`` is whether it is flash that is short."""
    hint = "--optimize size makes less code; " if flash else ""
    return BudgetError(
        "\n".join([f"the firmware does not fit {board.name}", *lines]),
        hint + "`tinygen boards` lists larger boards",
    )


def bar(title: str, sizes: dict[str, int], width: int = 24) -> str:
    """One line: the total, its share of the limit as a bar, and its parts."""
    total, limit = sizes["total"], sizes.get("limit")
    parts = ", ".join(f"{k} {v:,}" for k, v in sizes.items() if k not in ("total", "limit"))
    if limit is None:
        return f"{title:<6} {total:>11,} bytes  ({parts})"
    filled = min(width, -(-total * width // limit))
    drawn = "#" * filled + "." * (width - filled)
    return f"{title:<6} {total:>11,} of {limit:,} bytes [{drawn}] {total / limit:.1%}  ({parts})"
