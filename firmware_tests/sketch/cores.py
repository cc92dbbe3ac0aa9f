"""What PlatformIO's builds define for each board's Arduino core: sketches tell them apart by it."""

from dataclasses import dataclass

from tinygen.board import Board


@dataclass(frozen=True, slots=True)
class ArduinoCore:
    """An Arduino core: whose it is, and the defines of its build that sketches look at."""

    name: str
    defines: tuple[str, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """The defines as the compiler takes them."""
        return tuple(f"-D{d}" for d in self.defines)


# The boards with Arduino's mbed core, on platforms whose other boards have another core.
_MBED = {
    "nano33ble": "ARDUINO_ARCH_NRF52840",
    "nanorp2040connect": "ARDUINO_ARCH_RP2040",
    "pico": "ARDUINO_ARCH_RP2040",
    "giga_r1_m7": "ARDUINO_ARCH_MBED_GIGA",
    "nicla_vision": "ARDUINO_ARCH_MBED_NICLA",
    "portenta_h7_m7": "ARDUINO_ARCH_MBED_PORTENTA",
}
_BY_PLATFORM = {
    "ststm32": ArduinoCore("stm32duino", ("ARDUINO_ARCH_STM32", 'BOARD_NAME="STM32"')),
    "nordicnrf51": ArduinoCore("nRF5", ("ARDUINO_ARCH_NRF5",)),
    "nordicnrf52": ArduinoCore("nRF5", ("ARDUINO_ARCH_NRF5",)),
    "teensy": ArduinoCore("Teensyduino", ("TEENSYDUINO=159", "__IMXRT1062__")),
    "renesas-ra": ArduinoCore("Renesas", ("ARDUINO_ARCH_RENESAS",)),
    "atmelsam": ArduinoCore("SAMD", ("ARDUINO_ARCH_SAMD",)),
    "espressif32": ArduinoCore("ESP32", ("ARDUINO_ARCH_ESP32",)),
}


def arduino_core(board: Board) -> ArduinoCore:
    """The Arduino core that PlatformIO builds ``board``'s sketch with.

    Raises LookupError for a platform that is not known here: add what its core defines.
    """
    assert board.platformio is not None
    platform = board.platformio.platform.split("@")[0].strip()
    if board.name in _MBED:
        return ArduinoCore("mbed", ("ARDUINO_ARCH_MBED", _MBED[board.name]))
    if platform not in _BY_PLATFORM:
        raise LookupError(f"which Arduino core does platform '{platform}' of {board.name} have?")
    core = _BY_PLATFORM[platform]
    if core.name == "ESP32" and board.core.arch == "riscv":
        return ArduinoCore("ESP32, one core", (*core.defines, "CONFIG_FREERTOS_UNICORE=1"))
    return core
