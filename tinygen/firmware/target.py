"""What firmware is generated for: a board, and the choices that the board leaves open."""

from dataclasses import dataclass, replace
from enum import Enum

from tinygen.board import Board, Framework, MemoryKind, MemoryRegion
from tinygen.errors import BoardError, OptionError

EMULATORS = ("qemu", "renode")
# ESP-IDF, on which their Arduino stands too, puts section .iram1 into RAM.
_ESPRESSIF = ("lx6", "lx7", "riscv32imc")


class App(Enum):
    """What the firmware speaks: tinygen's protocol, or MLPerf Tiny's, for any model or as one of
    its benchmarks."""

    DEVICE = "device"
    MLPERF_TINY = "mlperf-tiny"
    MLPERF_TINY_AD = "mlperf-tiny:ad"
    MLPERF_TINY_IC = "mlperf-tiny:ic"
    MLPERF_TINY_KWS = "mlperf-tiny:kws"
    MLPERF_TINY_VWW = "mlperf-tiny:vww"


@dataclass(frozen=True, slots=True)
class Target:
    """A board with its framework and application.

    ``psram`` puts the arena into external RAM; ``emulated`` is whether QEMU will run the firmware,
    whose exits and files are calls to QEMU then.
    """

    board: Board
    framework: Framework
    app: App = App.DEVICE
    psram: bool = False
    emulated: bool = False

    def in_runner(self, runner: str) -> "Target":
        """The same target, to be run by ``runner``.

        Raises BoardError for a runner that does not have the board, or an emulator that has no
        vendor's framework to run.
        """
        if self.from_framework and runner in EMULATORS:
            raise BoardError(
                f"{runner} does not emulate what {self.framework.value} needs of {self.board.name}",
                "--framework bare runs there" if self.board.bare else "the board itself runs it",
            )
        board = self.board
        has = {
            "native": board.hosted,
            "qemu": board.qemu is not None,
            "renode": board.renode is not None,
        }
        if not has.get(runner, True):
            others = [name for name, there in has.items() if there] or ["serial"]
            raise BoardError(
                f"runner '{runner}' does not have {board.name}", f"it has: {', '.join(others)}"
            )
        return replace(self, emulated=runner == "qemu")

    @property
    def arena_region(self) -> MemoryRegion | None:
        """Where the arena lies; None on the host."""
        layout = self.board.layout
        if layout is None or not self.psram:
            return layout.arena if layout else None
        return next(r for r in self.board.regions if r.kind is MemoryKind.PSRAM)

    @property
    def from_framework(self) -> bool:
        """Whether a vendor's framework does the start-up, the linking and the serial port."""
        return self.framework not in (Framework.HOST, Framework.BARE)

    @property
    def kernel_section(self) -> str:
        """The section whose code the linker script and the start-up put into RAM.

        Raises OptionError where that is not known.
        """
        layout = self.board.layout
        espressif = self.from_framework and self.board.core.name in _ESPRESSIF
        if espressif:
            return ".iram1.tinygen"
        if self.framework is not Framework.BARE or layout is None:
            raise OptionError(
                f"--place kernels=ram: it is not known how {self.framework.value} puts code of "
                f"{self.board.name} into RAM",
                "leave --place out" + (", or --framework bare" if self.board.bare else ""),
            )
        if self.board.core.arch == "xtensa":
            raise OptionError(
                f"--place kernels=ram: RAM of {self.board.name} is too far from its flash for the "
                "core's calls",
                "leave --place out",
            )
        if layout.kernels is None:
            raise OptionError(
                f"--place kernels=ram: it is not known from which RAM {self.board.name} runs code",
                "name it as 'kernels' in the board file's [layout], or leave --place out",
            )
        return ".hot"

    def heap_arena(self, arena_bytes: int) -> bool:
        """Whether an arena of this size has to come from the framework's heap at start."""
        layout = self.board.layout
        if layout is None or not self.from_framework:
            return False
        limit = layout.static_limit
        return self.psram or (limit is not None and arena_bytes > limit)


def choose_target(
    board: Board,
    framework: str | None = None,
    app: App = App.DEVICE,
    *,
    psram: bool = False,
) -> Target:
    """The target of a user's choices; None is the board's default.

    Raises BoardError for a framework or a memory that the board does not have.
    """
    if psram and not any(r.kind is MemoryKind.PSRAM for r in board.regions):
        raise BoardError(f"{board.name} has no PSRAM", "leave --psram out")
    return Target(board, board.choose_framework(framework), app, psram, board.runner == "qemu")
