"""Board files: the named ones are sound, and a wrong one is refused with the nearest right word."""

import os
from pathlib import Path

import pytest

from tinygen.board import Board, MemoryKind
from tinygen.board.file import BOARDS_VARIABLE, all_boards, load_board, read_board
from tinygen.errors import BoardError
from tinygen.isa import Isa
from tinygen.resources import data_dir

CORES = {
    "adafruit_feather_m4": "cortex-m4",
    "bbcmicrobit": "cortex-m0",
    "bbcmicrobit_v2": "cortex-m4",
    "blackpill_f411ce": "cortex-m4",
    "bluepill_f103c8": "cortex-m3",
    "disco_f407vg": "cortex-m4",
    "disco_f746ng": "cortex-m7",
    "disco_l475vg_iot01a": "cortex-m4",
    "disco_l4s5i_iot01a": "cortex-m4",
    "esp32-c3-devkitm-1": "riscv32imc",
    "esp32-s3-devkitc-1": "lx7",
    "esp32cam": "lx6",
    "esp32dev": "lx6",
    "giga_r1_m7": "cortex-m7",
    "microbit": "cortex-m0",
    "mps2-an385": "cortex-m3",
    "mps2-an385-m0": "cortex-m0",
    "mps2-an386": "cortex-m4",
    "mps2-an500": "cortex-m7",
    "mps2-an505": "cortex-m33",
    "mps3-an547": "cortex-m55",
    "nano33ble": "cortex-m4",
    "nano_33_iot": "cortex-m0plus",
    "nanorp2040connect": "cortex-m0plus",
    "native": "host",
    "netduinoplus2": "cortex-m4",
    "nicla_vision": "cortex-m7",
    "nrf52840_dk": "cortex-m4",
    "nrf52_dk": "cortex-m4",
    "nucleo_f401re": "cortex-m4",
    "nucleo_f411re": "cortex-m4",
    "nucleo_f446re": "cortex-m4",
    "nucleo_f746zg": "cortex-m7",
    "nucleo_f767zi": "cortex-m7",
    "nucleo_g474re": "cortex-m4",
    "nucleo_h743zi": "cortex-m7",
    "nucleo_l432kc": "cortex-m4",
    "nucleo_l476rg": "cortex-m4",
    "nucleo_l4r5zi": "cortex-m4",
    "nucleo_u575zi_q": "cortex-m33",
    "pico": "cortex-m0plus",
    "portenta_h7_m7": "cortex-m7",
    "qemu-lx106": "lx106",
    "qemu-rv32imc": "riscv32imc",
    "seeed_wio_terminal": "cortex-m4",
    "seeed_xiao": "cortex-m0plus",
    "seeed_xiao_esp32c3": "riscv32imc",
    "seeed_xiao_esp32s3": "lx7",
    "teensy40": "cortex-m7",
    "teensy41": "cortex-m7",
    "uno_r4_minima": "cortex-m4",
    "uno_r4_wifi": "cortex-m4",
}
BARE = [b for b in all_boards() if b.bare]

# What a made-up board is changed from: one bare board of each kind of section.
SECTIONS = """
[[setup]]
at = 0x4002_3830
set = 1
why = "a clock"

[platformio]
platform = "ststm32 @ ~19.6.0"
upload_protocol = "stlink"

[usb]
ids = ["1234:ABCD"]
codes = ["0777"]
"""


def made_up(tmp_path: Path, change: tuple[str, str] = ("", "")) -> Path:
    """A board of nobody's, as a file of its own; ``change`` replaces a text in it."""
    text = (data_dir("boards") / "mps2-an386.toml").read_text(encoding="utf-8") + SECTIONS
    assert change[0] in text
    file = tmp_path / "made-up.toml"
    file.write_text(text.replace('name = "mps2-an386"', 'name = "made-up"').replace(*change, 1))
    return file


def test_each_named_board_has_its_core() -> None:
    assert {b.name: b.core.name for b in all_boards()} == CORES


@pytest.mark.parametrize(
    "name", ["mps2-an386", "mps2_an386", "qemu-mps2-an386", "qemu_mps2_an386", "MPS2-AN386"]
)
def test_a_board_is_found_under_each_spelling(name: str) -> None:
    assert load_board(name).name == "mps2-an386"


def test_a_misspelt_board_is_corrected() -> None:
    with pytest.raises(BoardError, match="did you mean 'microbit'"):
        load_board("mircobit")


def test_instruction_sets_follow_the_core() -> None:
    assert load_board("microbit").core.isa is Isa.ANY
    assert load_board("mps2-an386").core.isa is Isa.DSP
    assert Isa.MVE in load_board("mps3-an547").core.isa


@pytest.mark.parametrize("board", BARE, ids=lambda b: b.name)
def test_a_bare_board_has_all_that_firmware_needs(board: Board) -> None:
    layout = board.layout
    assert layout is not None and board.uart is not None and board.timer is not None
    assert layout.code.kind is MemoryKind.FLASH
    assert layout.data.kind is layout.arena.kind is MemoryKind.RAM
    assert layout.stack_bytes < layout.data.size
    assert board.clock_hz > 0
    if board.uart.driver != "simcall":
        assert board.uart.origin > 0
        assert board.uart.clock_hz > 0


def test_the_m55_board_holds_models_that_its_tcm_does_not() -> None:
    board = load_board("mps3-an547")
    assert board.layout is not None
    assert board.layout.code.size >= 1 << 20
    assert board.layout.arena.size >= 1 << 20


def test_a_new_board_needs_its_file_alone(tmp_path: Path) -> None:
    board = read_board(made_up(tmp_path))
    assert (board.name, board.flash_bytes, board.ram_bytes) == ("made-up", 4 << 20, 4 << 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("\nclock_hz", "\nclock_khz"), "'clock_hz' is missing"),
        (('frameworks = ["bare"]', 'frameworks = ["bear"]'), "did you mean 'bare'"),
        (('frameworks = ["bare"]', "frameworks = []"), "must name at least one"),
        (('frameworks = ["bare"]', 'frameworks = ["bare", "host"]'), "'host' stands alone"),
        (('["bare"]', '["bare", "stm32cube"]'), "'stm32cube' is for an STM32"),
        (('runner = "qemu"', 'runner = "qeum"'), "did you mean 'qemu'"),
        (('core = "cortex-m4"', 'core = "cortex-m44"'), "did you mean 'cortex-m4'"),
        (('fpu = "single"', 'fpu = "double"'), "'fpu' is 'double'"),
        (("window = 8", "window = 0"), "'window' is 0; it must be from 1 to 64"),
        (("window = 8", 'payload = "64"'), "'payload' is 64; it must be from 256 to 32768"),
        (("window = 8", "baud = 0"), "'baud' is 0"),
        (("hz = 25_000_000\n\n[qemu]", "hz = 0\n\n[qemu]"), "'hz' is 0; it must be from 1"),
        (("window = 8", "windows = 8"), r"unknown key 'windows'\n  hint: did you mean 'window'"),
        (('size = "4M"', 'size = "4MB"'), "'size' is '4MB'"),
        (('size = "4M"', 'size = "0K"'), "'size' is '0K'"),
        (("origin = 0x2000_0000", "origin = 0x0010_0000"), "'ram' and 'flash' overlap"),
        (('stack = "8K"', 'stack = "8K"\ncode = "flush"'), "did you mean 'flash'"),
        (('kind = "ram"', "kind = 7"), "'kind' is 7; it must be a string"),
        (("hz = 25_000_000", "hz = true"), "must be an integer"),
        (("hz = 25_000_000", "hz = -1"), "cannot be negative"),
        (("[qemu]", "[qmeu]"), "runner 'qemu' needs|unknown key 'qmeu'"),
        (("[memory.flash]", "[memory.flash"), "not a TOML file"),
        (("[memory.flash]", '[memory."my flash"]'), "a region's name is a word"),
        (('driver = "cmsdk"', 'driver = "cmsdc"'), "did you mean 'cmsdk'"),
        (("0x4002_3830", "0x4002_3831"), "'at' is 1073887281; .* a multiple of 4"),
        (("set = 1", "set = 0x1_0000_0000"), r"\[\[setup\]\] 1: 'set' is 4294967296"),
        (("set = 1", "sett = 1"), r"unknown key 'sett'\n  hint: did you mean 'set'"),
        (('why = "a clock"', ""), r"\[\[setup\]\] 1: key 'why' is missing"),
        (("a clock", "a clock */ int x; /*"), r"must be one line, without \*/"),
        (("a clock", "a\\nclock"), r"must be one line, without \*/"),
        (("1234:ABCD", "1234ABCD"), "'ids' has '1234ABCD'"),
        (('"0777"', '"777"'), "'codes' has '777'"),
        (("[usb]", '[usb]\nprobe = "st-link"'), "did you mean 'stlink'"),
        (("[platformio]\nplatform =", "[platformio]\nplatfrom ="), "'platform' is missing"),
        (("ststm32 @ ~19.6.0", "ststm32"), "'platform' is 'ststm32'; pin its version"),
        (("[usb]", '[platformio.options]\nframework = "x"\n[usb]'), "which tinygen writes itself"),
        (('core = "cortex-m4"', 'core = "lx6"'), "no start-up code for core 'lx6'"),
        (('["bare"]', '["bare", "espidf"]'), "'espidf' is for an ESP32"),
        (('["bare"]\nrunner = "qemu"', '["bare"]\nrunner = "native"'), "'host' alone"),
        (("\nclock_hz = ", "\nclock_hz = 0 # "), "'clock_hz' is 0; it must be from 1"),
        (("origin = 0x2000_0000", "origin = 0xFFFF_0000"), "'ram' ends behind the address"),
        (('stack = "8K"', 'stack = "4M"'), r"'stack' is 4194304; .* less than 'ram'"),
        (('stack = "8K"', "stack = 8"), "'stack' is 8; it must be 256 at least"),
        (('stack = "8K"', 'stack = "8K"\narena = "flash"'), "'arena' is 'flash', whose kind is"),
        (('driver = "cmsdk"\norigin', 'driver = "cmsdk"\n# origin'), r"\[uart\]: 'origin' is 0x0"),
        (
            ('"cmsdk"\norigin = 0x4000_4000\nclock_hz = ', '"stm32"\norigin = 4\nclock_hz = 0 # '),
            "115200 baud needs a clock from 1843200",
        ),
        (("window = 8", 'port = "uart"'), r"\[serial\]: 'port' is 'uart'"),
    ],
)
def test_a_wrong_board_file_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(BoardError, match=message) as error:
        read_board(made_up(tmp_path, change))
    assert "made-up.toml" in str(error.value)


def test_a_board_file_is_named_as_its_board(tmp_path: Path) -> None:
    file = made_up(tmp_path).rename(tmp_path / "other.toml")
    with pytest.raises(BoardError, match="'made-up' is not the file's"):
        read_board(file)


def test_a_vendors_framework_needs_platformio(tmp_path: Path) -> None:
    file = made_up(tmp_path, ('["bare"]', '["bare", "arduino"]'))
    file.write_text(file.read_text().replace("[platformio]", "[platform]"))
    with pytest.raises(BoardError, match=r"unknown key 'platform'|needs \[platformio\]"):
        read_board(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('tx = "PA2"', 'tx = "2"'), r"\[uart\]: 'tx' is '2'; a pin is written as \"PA2\""),
        (('rx = "PA3"', 'rx = "PA16"'), r"'rx' is 'PA16'; a pin is written as"),
        (("alternate = 7", "alternate = 77"), "'alternate' is 77; it must be from 0 to 15"),
        (('"USART2"', '"UART 2"'), "'peripheral' is 'UART 2'"),
        (('uart = "usart2"', 'uart = "usart 2"'), r"\[renode\]: 'uart' is 'usart 2'"),
        (('peripheral = "USART2"', ""), r"needs \[uart\] peripheral, tx and rx"),
        (('mcu = "STM32F446RET6"', 'mcu = "F446"'), "'mcu' is 'F446'"),
    ],
)
def test_stm32cube_needs_the_chips_own_names(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    text = load_board("nucleo_f446re").source
    assert change[0] in text
    file = tmp_path / "nucleo_f446re.toml"
    file.write_text(text.replace(*change))
    with pytest.raises(BoardError, match=message):
        read_board(file)


def test_a_name_that_a_makefile_could_not_hold_is_refused(tmp_path: Path) -> None:
    text = load_board("mps2-an386").source.replace('"mps2-an386"', '"my board"', 1)
    file = tmp_path / "my board.toml"
    file.write_text(text)
    with pytest.raises(BoardError, match="a board's name is made of letters"):
        read_board(file)


def test_boards_of_ones_own_come_from_directories_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    mine = load_board("pico").source.replace("Raspberry Pi Pico", "my Pico")
    (other / "pico.toml").write_text(mine)
    before = {b.name for b in all_boards()}
    monkeypatch.setenv(BOARDS_VARIABLE, f"{tmp_path}{os.pathsep}{other}")
    assert {b.name for b in all_boards()} == before | {"made-up"}
    assert load_board("made_up").flash_bytes == 4 << 20
    assert load_board("pico").title == "my Pico"


def test_a_directory_of_boards_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BOARDS_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(BoardError, match="which is no directory"):
        all_boards()


def test_a_board_is_also_given_by_its_file(tmp_path: Path) -> None:
    assert load_board(str(made_up(tmp_path))).name == "made-up"
    with pytest.raises(BoardError, match=r"there is no board file .*none\.toml"):
        load_board(str(tmp_path / "none.toml"))


# Where the general-purpose ports of an STM32 begin; each takes 0x400 bytes.
GPIO = {"F4": 0x40020000, "F7": 0x40020000, "L4": 0x48000000, "G4": 0x48000000,
        "H7": 0x58020000, "U5": 0x42020000}  # fmt: skip


def after_setup(board: Board) -> dict[int, int]:
    """What the registers hold after the board's setup, if all were 0 before."""
    registers: dict[int, int] = {}
    for step in board.setup:
        registers[step.at] = registers.get(step.at, 0) & ~step.clear | step.set
    return registers


@pytest.mark.parametrize(
    "board", [b for b in BARE if b.mcu[5:7] in GPIO and b.setup], ids=lambda b: b.name
)
def test_setup_gives_an_stm32s_uart_its_pins(board: Board) -> None:
    registers = after_setup(board)
    assert board.uart is not None
    for pin, alternate in (
        (board.uart.tx, board.uart.alternate),
        (board.uart.rx, board.uart.rx_alternate),
    ):
        base, number = GPIO[board.mcu[5:7]] + 0x400 * (ord(pin[1]) - ord("A")), int(pin[2:])
        assert registers[base] >> 2 * number & 3 == 2, "MODER"
        assert registers[base + 0x20 + 4 * (number // 8)] >> 4 * (number % 8) & 15 == alternate
    assert registers[base + 0xC] >> 2 * number & 3 == 1, "the pull-up of RX"


@pytest.mark.parametrize("board", [b for b in BARE if b.mcu.startswith("nRF") and b.setup],
                         ids=lambda b: b.name)  # fmt: skip
def test_setup_gives_an_nrfs_uart_its_pins(board: Board) -> None:
    registers = after_setup(board)
    assert board.uart is not None
    for pin, configuration in ((board.uart.tx_pin, 0x3), (board.uart.rx_pin, 0xC)):
        assert registers[0x50000000 + 0x300 * (pin // 32) + 0x700 + 4 * (pin % 32)] == configuration


def baud_of(board: Board) -> float:
    """The baud rate that the board's driver makes of its clock; see the drivers."""
    uart, baud = board.uart, board.serial.baud
    assert uart is not None
    if uart.driver == "nrf":
        return (((baud << 32) // uart.clock_hz + 0x800) & 0xFFFFF000) * uart.clock_hz / 2**32
    clock_hz = uart.clock_hz * (256 if uart.low_power else 1)
    return clock_hz / ((clock_hz + baud // 2) // baud)


@pytest.mark.parametrize("board", [b for b in BARE if b.setup], ids=lambda b: b.name)
def test_the_uarts_clock_gives_the_baud_rate(board: Board) -> None:
    # Both sides together may be 4% apart; the oscillators want most of that.
    assert abs(baud_of(board) / board.serial.baud - 1) < 0.01
