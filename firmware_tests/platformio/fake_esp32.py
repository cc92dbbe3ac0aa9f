"""The boot loader in an ESP32's ROM, and the flasher that esptool puts into its RAM, on a serial
port. Source: Espressif's "Serial protocol" of esptool's documentation.

It keeps what is written, and refuses data with a wrong checksum and blocks out of order, or more or
larger ones than it was told to expect.
"""

import hashlib
import zlib
from functools import reduce

from firmware_tests.platformio.pty_device import Wire

_END = 0xC0
_FLASH_BEGIN, _FLASH_DATA, _MEM_END, _SYNC = 0x02, 0x03, 0x06, 0x08
_WRITE_REG, _READ_REG, _MEM_DATA = 0x09, 0x0A, 0x07
_DEFLATE_BEGIN, _DEFLATE_DATA, _MD5, _SECURITY_INFO = 0x10, 0x11, 0x13, 0x14
# The rest is answered and does nothing here: memory, flash's end, SPI, baud rate.
_TAKEN = (0x04, 0x05, 0x0B, 0x0D, 0x0F, 0x12)

_CHIP_MAGIC = 0x4000_1000
_UART_CLOCK_DIVIDER = 0x3FF4_0014
_SPI_W0 = 0x3FF4_2080
# A flash of 4 MB, as its JEDEC id; the divider of 115200 baud from a crystal of 40 MHz.
_REGISTERS = {_CHIP_MAGIC: 0x00F0_1D83, _UART_CLOCK_DIVIDER: 347, _SPI_W0: 0x0016_40EF}
_CHECKSUM_SEED = 0xEF
_INVALID = 0x05


class FakeEsp32:
    """An ESP32 in its boot loader, with 4 MB of flash, all erased."""

    def __init__(self) -> None:
        self.flash = bytearray(b"\xff" * (4 << 20))
        self._stub = False
        self._sizes = (0, 0, 0, 0)  # bytes in all, blocks, bytes a block, where
        self._blocks = 0
        self._data = b""

    def serve(self, wire: Wire) -> None:
        """Answer until the line closes."""
        while packet := _read_packet(wire):
            if len(packet) >= 8 and packet[0] == 0:
                self._answer(packet[1], int.from_bytes(packet[4:8], "little"), packet[8:], wire)

    def _answer(self, op: int, checksum: int, data: bytes, wire: Wire) -> None:
        words = tuple(int.from_bytes(data[i : i + 4], "little") for i in range(0, 16, 4))
        value, result, good = 0, b"", True
        if op == _SYNC:
            # The ROM answers several times; a value other than 0 tells it from the flasher in RAM.
            for _ in range(8):
                _write_packet(wire, _response(op, 0x2012_0707, b"", 4))
            return
        if op == _READ_REG:
            value = _REGISTERS.get(words[0], 0)
        elif op in (_FLASH_BEGIN, _DEFLATE_BEGIN):
            # The first word is the size once unpacked; the ROM and the flasher round it alike.
            total, blocks, size, offset = words
            self._sizes, self._blocks, self._data = (total, blocks, size, offset), 0, b""
        elif op in (_FLASH_DATA, _DEFLATE_DATA, _MEM_DATA):
            good = self._block(op, words, data[16:], checksum)
        elif op == _MD5:
            digest = hashlib.md5(self.flash[words[0] : words[0] + words[1]])
            result = digest.digest() if self._stub else digest.hexdigest().encode()
        elif op not in (_WRITE_REG, _MEM_END, *_TAKEN):
            good = False
        status = 2 if self._stub else 4
        _write_packet(wire, _response(op, value, result, status, error=0 if good else _INVALID))
        if op == _MEM_END and words[1]:
            self._stub = True
            _write_packet(wire, b"OHAI")

    def _block(self, op: int, words: tuple[int, ...], data: bytes, checksum: int) -> bool:
        size, number = words[:2]
        if len(data) != size or reduce(lambda a, b: a ^ b, data, _CHECKSUM_SEED) != checksum:
            return False
        if op == _MEM_DATA:
            return True
        total, blocks, longest, offset = self._sizes
        if number != self._blocks or number >= blocks or size > longest:
            return False
        self._blocks += 1
        self._data += data
        plain = self._data
        if op == _DEFLATE_DATA:
            plain = zlib.decompressobj().decompress(self._data)
        plain = plain[:total]
        self.flash[offset : offset + len(plain)] = plain
        return True


def _response(op: int, value: int, data: bytes, status: int, *, error: int = 0) -> bytes:
    body = data + bytes((1 if error else 0, error)).ljust(status, b"\0")
    return bytes((1, op)) + len(body).to_bytes(2, "little") + value.to_bytes(4, "little") + body


def _read_packet(wire: Wire) -> bytes:
    """The next packet without its escapes; empty at the line's end."""
    data = bytearray()
    while byte := wire.read(1):
        if byte[0] != _END:
            data += byte
        elif data:
            break
    if not byte:
        return b""
    return bytes(data).replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


def _write_packet(wire: Wire, data: bytes) -> None:
    escaped = data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    wire.write(bytes([_END]) + escaped + bytes([_END]))
