"""The processor cores that tinygen compiles for: instruction sets and compiler flags, one table."""

from dataclasses import dataclass
from enum import Enum

from tinygen.isa import Isa


class Fpu(Enum):
    """What floating-point arithmetic a chip has in hardware."""

    NONE = "none"
    SINGLE = "single"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core.

    ``isa`` selects kernels. ``fpus`` gives the compiler flags for each floating-point unit that the
    core can have. ``cross`` is the prefix of the GCC tools, empty for the host's own compiler.
    ``timing`` is the key of the core's table in ``tinygen.timing``; empty where there is none.
    ``arch`` names the start-up code in ``templates/firmware``; ``link_flags`` choose the C library.
    ``qemu`` is the program that emulates such a core; empty where none is at hand. ``runs_data`` is
    whether it executes code from any RAM: some have RAM that only data can be read from.
    """

    name: str
    title: str
    isa: Isa
    flags: tuple[str, ...]
    fpus: dict[Fpu, tuple[str, ...]]
    cross: str = "arm-none-eabi-"
    timing: str = ""
    arch: str = "cortex_m"
    link_flags: tuple[str, ...] = ("--specs=nano.specs", "--specs=nosys.specs")
    qemu: str = "qemu-system-arm"
    runs_data: bool = False

    @property
    def objdump(self) -> str:
        """The disassembler of the core's instructions."""
        return f"{self.cross}objdump"

    def cflags(self, fpu: Fpu) -> tuple[str, ...]:
        """Flags that choose the instruction set and the calling convention."""
        return self.flags + self.fpus[fpu]


_SOFT: dict[Fpu, tuple[str, ...]] = {Fpu.NONE: ("-mfloat-abi=soft",)}


def _hard(fpu: str) -> tuple[str, ...]:
    return ("-mfloat-abi=hard", f"-mfpu={fpu}")


def _cortex_m(number: str, isa: Isa, fpus: dict[Fpu, tuple[str, ...]]) -> Core:
    name = f"cortex-m{number}"
    title = f"Cortex-M{number.replace('plus', '+')}"
    flags: tuple[str, ...] = (f"-mcpu={name}", "-mthumb")
    # What GCC schedules for these takes up to 6 % more instructions in some loops (ADD), and is
    # estimated to be no faster: within 1.2 % on the models measured, to either side.
    if number in ("7", "33"):
        flags += ("-mtune=cortex-m4",)
    # Others may have data in RAM that is coupled to the core, from which they do not fetch.
    runs_data = number in ("0", "0plus", "3", "4", "33")
    return Core(name, title, isa, flags, fpus, timing=name, runs_data=runs_data)


def _esp32(number: str, chip: str) -> Core:
    """A core that only Espressif's own compilers know, through their frameworks."""
    return Core(
        f"lx{number}", f"Xtensa LX{number}", Isa.LONG_MULTIPLY, (), {Fpu.SINGLE: ()},
        cross=f"xtensa-{chip}-elf-", arch="xtensa", link_flags=(), qemu="",
    )  # fmt: skip


# Called rv32imc_zicsr since; for that name GCC 12 takes another core's libraries.
_RV32IMC = ("-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "--specs=picolibc.specs")

_CORES = (
    Core("host", "this computer", Isa.ANY, (), {Fpu.DOUBLE: ()}, cross="", arch="host", qemu=""),
    _cortex_m("0", Isa.ANY, _SOFT),
    _cortex_m("0plus", Isa.ANY, _SOFT),
    _cortex_m("3", Isa.LONG_MULTIPLY, _SOFT),
    _cortex_m("4", Isa.DSP, _SOFT | {Fpu.SINGLE: _hard("fpv4-sp-d16")}),
    _cortex_m(
        "7",
        Isa.DSP,
        _SOFT | {Fpu.SINGLE: _hard("fpv5-sp-d16"), Fpu.DOUBLE: _hard("fpv5-d16")},
    ),
    _cortex_m("33", Isa.DSP, _SOFT | {Fpu.SINGLE: _hard("fpv5-sp-d16")}),
    # GCC derives the unit and Helium from -mcpu; an explicit unit would lose Helium.
    _cortex_m("55", Isa.DSP | Isa.MVE, {Fpu.DOUBLE: _hard("auto")}),
    Core(
        "riscv32imc", "RISC-V RV32IMC", Isa.LONG_MULTIPLY, _RV32IMC, {Fpu.NONE: ()},
        cross="riscv64-unknown-elf-", arch="riscv", link_flags=(), qemu="qemu-system-riscv32",
        runs_data=True,
    ),
    # The compiler finds its C library by itself.
    Core(
        "lx106", "Xtensa LX106", Isa.ANY, (), {Fpu.NONE: ()},
        cross="xtensa-lx106-elf-", arch="xtensa", link_flags=(), qemu="qemu-system-xtensa",
    ),
    _esp32("6", "esp32"),
    _esp32("7", "esp32s3"),
)  # fmt: skip

CORES: dict[str, Core] = {core.name: core for core in _CORES}
