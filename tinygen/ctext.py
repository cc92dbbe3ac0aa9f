"""C literals, arrays, comments and identifiers: every text that comes from a model passes here."""

import math
import re
from collections.abc import Iterable

import numpy as np

from tinygen.ir import Array

C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "int64": "int64_t",
    "uint64": "uint64_t",
    "float32": "float",
    "float64": "double",
    "bool": "bool",
}
_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while main bool true false".split()
)

# A file NAME.h on the include path must hide neither a header of C, nor one of the firmware, nor
# one of the frameworks, on file systems that take `arduino.h` for `Arduino.h` either.
_HEADERS = frozenset(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdarg "
    "stdbool stddef stdint stdio stdlib string tgmath time wchar wctype unistd arm_acle arm_mve "
    "app board crc32 cycles frame layers mlperf mlperf_config mlperf_tensor mlperf_text mmio port "
    "platform protocol semihosting setup simcall start timer uart firmware firmware_model "
    "arduino mbed print sdkconfig serial spi stream wire wiring".split()
)

# Windows has devices of these names in every directory.
_DEVICES = frozenset(
    ["aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)

# The model's directory is a component of ESP-IDF, where it must not hide one of ESP-IDF's own.
_COMPONENTS = frozenset(
    "bootloader bt cmock console cxx driver efuse fatfs freertos hal heap json log lwip mbedtls "
    "mqtt newlib openthread perfmon protocomm pthread riscv soc spiffs ulp unity usb vfs "
    "xtensa".split()
)


def identifier(text: str, limit: int = 40) -> str:
    """A lower-case C identifier that still reads like ``text``.

    It is never empty, a keyword, the name of a header or a device, or one that a kernel may have.
    """
    words = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:limit].rstrip("_")
    taken = words in _KEYWORDS | _HEADERS | _COMPONENTS | _DEVICES or words.startswith("tg_")
    if not words or words[0].isdigit() or taken:
        words = f"m_{words}".rstrip("_")
    return words


def comment(text: str, limit: int = 100) -> str:
    """``text`` made safe inside a C comment or string: printable ASCII without ends or escapes."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "_" for c in text)
    plain = re.sub(r"([*/?])(?=[*/?])", r"\1 ", plain)  # comment ends and trigraphs
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def literal(value: int | float, dtype: np.dtype[np.generic] | None = None) -> str:
    """A C literal of ``value``: exact, and of a width that needs no suffix-less surprise.

    Infinities and NaNs are macros of ``math.h``; a NaN keeps its sign, not its payload.
    """
    if isinstance(value, int | np.integer):
        number = int(value)
        if number == -(2**63):
            return "INT64_MIN"
        if not -(2**31) <= number < 2**31:
            return f"INT64_C({number})" if number < 2**63 else f"UINT64_C({number})"
        return "INT32_MIN" if number == -(2**31) else str(number)
    if not math.isfinite(value):
        sign = "-" if math.copysign(1.0, value) < 0 else ""
        return sign + ("NAN" if math.isnan(value) else "INFINITY")
    single = dtype is None or dtype == np.float32
    text = np.format_float_scientific(
        np.float32(value) if single else np.float64(value), unique=True, trim="0"
    )
    return text + ("f" if single else "")


def array(name: str, values: Array, width: int = 100) -> str:
    """The definition of a constant array, wrapped at ``width`` columns."""
    c_type = C_TYPES[values.dtype.name]
    flat = values.reshape(-1)
    items = (literal(v, values.dtype) for v in flat.tolist())
    return f"const {c_type} {name}[{flat.size}] = {{\n{wrapped(items, width)}\n}};\n"


def wrapped(items: Iterable[str], width: int = 100, indent: str = "    ") -> str:
    """Comma-separated items, as many a line as fit."""
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 2 > width:
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    lines.append(line.rstrip())
    return "\n".join(lines)
