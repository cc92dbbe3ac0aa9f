"""A project's ``renode`` folder: the board as Renode sees it, a script that starts it, and a test.

A board whose ``[renode]`` names a platform of Renode's own uses that one; for the others the
platform is rendered from the board file: core, memory, UART, timer, and the registers that the
firmware sets before it starts. What runs in Renode is the image that is flashed, not another build.
"""

from dataclasses import dataclass

from tinygen.board import Board
from tinygen.emit import render
from tinygen.errors import BoardError
from tinygen.run.frames import Frame, encode_frame
from tinygen.run.protocol import Message

SCRIPT = "renode/board.resc"
PLATFORM = "renode/board.repl"
SUITE = "renode/firmware.robot"

_DWT = 0xE000_1000
_BYTES_PER_LINE = 12

# A "cortex-m4f" of Renode's calls itself an M7; its plain "cortex-m4" has the FPU.
_CPU_TYPES = {
    "cortex-m0": "cortex-m0",
    "cortex-m0plus": "cortex-m0+",
    "cortex-m3": "cortex-m3",
    "cortex-m4": "cortex-m4",
    "cortex-m7": "cortex-m7",
    "cortex-m33": "cortex-m33",
    "cortex-m55": "cortex-m55",
    "riscv32imc": "rv32imc_zicsr",
}


@dataclass(frozen=True, slots=True)
class Device:
    """One peripheral of a platform; ``place`` is an address, or a range as Renode writes it."""

    name: str
    model: str
    place: str
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TaggedRegister:
    """A register that always reads ``value``."""

    at: int
    name: str
    value: int


def renode_files(board: Board, image: str, *, suite: bool = True) -> dict[str, str]:
    """The files of the project's ``renode`` folder, by path; none for a board without ``[renode]``.

    ``image`` is the path of the linked ELF in the project. ``suite`` adds the test, for firmware
    with tinygen's own protocol. Raises BoardError for a board that Renode has no models for.
    """
    if board.renode is None:
        return {}
    banner = f"^tinygen [^ ]+: [^ ]+ on {board.name}"
    answer = " ".join(f"{byte:02X}" for byte in board.name.encode())
    context = {
        "board": board,
        "image": image,
        "uart": board.renode.uart,
        "banner": banner,
        "identify": _identify_lines(),
        "answer": answer,
    }
    files = {SCRIPT: render("renode/board.resc.j2", context)}
    if suite:
        files[SUITE] = render("renode/firmware.robot.j2", context)
    if not board.renode.platform:
        files[PLATFORM] = platform_text(board)
    return files


def platform_text(board: Board) -> str:
    """tinygen's own platform description of ``board``. Raises BoardError if a model is missing."""
    cpu_type = _CPU_TYPES.get(board.core.name)
    if cpu_type is None:
        raise BoardError(
            f"Renode has no model of {board.core.title}, the core of {board.name}",
            "leave [renode] out of the board file",
        )
    timer = _timer(board)
    context = {
        "board": board,
        "cpu_type": cpu_type,
        "devices": [_uart(board), *([timer] if timer else [])],
        "registers": _registers(board),
    }
    return render("renode/board.repl.j2", context)


def _uart(board: Board) -> Device:
    uart, renode = board.uart, board.renode
    assert renode is not None
    if uart is None:
        raise BoardError(
            f"{board.name}: [renode] needs [uart], or a platform of Renode's own",
            "say which UART the firmware drives, or name a platform",
        )
    frequency = ("frequency", str(uart.clock_hz))
    low_power = (("lowPowerMode", "true"),) if uart.low_power else ()
    address = f"0x{uart.origin:08X}"
    models = {
        "stm32": ("UART.STM32_UART", f"<{address}, +0x100>", (frequency,)),
        "stm32v2": ("UART.STM32F7_USART", address, (frequency, *low_power)),
        "nrf": ("UART.NRF52840_UART", address, ()),
        "cmsdk": ("UART.CMSDK_APB_UART", address, (frequency,)),
        "16550": ("UART.NS16550", address, ()),
    }
    if uart.driver not in models:
        raise BoardError(
            f"{board.name}: no UART of Renode is known to fit the driver '{uart.driver}'",
            "leave [renode] out of the board file",
        )
    return Device(renode.uart, *models[uart.driver])


def _timer(board: Board) -> Device | None:
    """The timer, where Renode has a model of it; the firmware reads 0 from any other."""
    timer = board.timer
    if timer is None:
        return None
    frequency = ("frequency", str(timer.hz))
    address = f"0x{timer.origin:08X}"
    models = {
        "dwt": ("Miscellaneous.DWT", f"0x{_DWT:08X}", (frequency,)),
        "stm32": ("Timers.STM32_Timer", address, (frequency, ("initialLimit", "0xFFFFFFFF"))),
        "nrf51": ("Timers.NRF52840_Timer", address, (("numberOfEvents", "4"),)),
    }
    return Device("timer", *models[timer.driver]) if timer.driver in models else None


def _registers(board: Board) -> list[TaggedRegister]:
    """The registers of the board's set-up, each once, with every bit that is waited for."""
    waits: dict[int, int] = {}
    names: dict[int, str] = {}
    for step in board.setup:
        waits[step.at] = waits.get(step.at, 0) | step.wait
        names.setdefault(step.at, step.why.partition(":")[0].replace('"', "'"))
    return [TaggedRegister(at, names[at], waits[at]) for at in sorted(waits)]


def _identify_lines() -> list[str]:
    """The request that opens session 1, as Robot's list of numbers, a few to a line."""
    request = encode_frame(Frame(Message.IDENTIFY, session=1, sequence=0))
    words = [f"0x{byte:02X}" for byte in request]
    return [
        "    ".join(words[i : i + _BYTES_PER_LINE]) for i in range(0, len(words), _BYTES_PER_LINE)
    ]
