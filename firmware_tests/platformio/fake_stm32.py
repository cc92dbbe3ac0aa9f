"""The boot loader of an STM32's system memory, on a serial port. Source: ST AN3155.

It keeps what is written, and refuses what the real one refuses: a wrong checksum, an address that
is no flash, a write to flash that was not erased.
"""

from functools import reduce

from firmware_tests.platformio.pty_device import Wire

_ACK, _NACK, _START = b"\x79", b"\x1f", 0x7F
_GET, _VERSION, _ID, _READ, _GO, _WRITE, _ERASE = 0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x43
_COMMANDS = bytes((_GET, _VERSION, _ID, _READ, _GO, _WRITE, _ERASE))
_FLASH = 0x0800_0000
_PAGE = 1024


class FakeStm32:
    """A medium-density STM32F103 with ``size`` bytes of flash, all erased."""

    def __init__(self, size: int = 64 * 1024, product: int = 0x410) -> None:
        self.flash = bytearray(b"\xff" * size)
        self.started_at: int | None = None
        self._product = product

    def serve(self, wire: Wire) -> None:
        """Answer until the line closes."""
        while start := wire.read(1):
            if start[0] == _START:
                wire.write(_ACK)
                break
        while len(command := wire.read(2)) == 2:
            if command[0] ^ command[1] != 0xFF or command[0] not in _COMMANDS:
                wire.write(_NACK)
                continue
            wire.write(_ACK)
            self._command(command[0], wire)

    def _command(self, command: int, wire: Wire) -> None:
        if command == _GET:
            wire.write(bytes((len(_COMMANDS), 0x22)) + _COMMANDS + _ACK)
        elif command == _VERSION:
            wire.write(b"\x22\x00\x00" + _ACK)
        elif command == _ID:
            wire.write(b"\x01" + self._product.to_bytes(2, "big") + _ACK)
        elif command == _READ:
            self._read(wire)
        elif command == _WRITE:
            self._write(wire)
        elif command == _ERASE:
            self._erase(wire)
        elif (address := self._address(wire)) is not None:
            self.started_at = address

    def _address(self, wire: Wire) -> int | None:
        """The address that follows a command; a damaged one ends the command."""
        data = wire.read(5)
        good = len(data) == 5 and _xor(data) == 0
        wire.write(_ACK if good else _NACK)
        return int.from_bytes(data[:4], "big") if good else None

    def _read(self, wire: Wire) -> None:
        address = self._address(wire)
        if address is None:
            return
        start = address - _FLASH
        count, check = wire.read(2)
        assert count ^ check == 0xFF
        inside = start >= 0 and start + count < len(self.flash)
        # Outside of flash there are registers; stm32flash asks the one with the option bytes.
        data = bytes(self.flash[start : start + count + 1]) if inside else bytes(count + 1)
        wire.write(_ACK + data)

    def _write(self, wire: Wire) -> None:
        address = self._address(wire)
        if address is None:
            return
        start = address - _FLASH
        (count,) = wire.read(1)
        data, check = wire.read(count + 1), wire.read(1)
        span = slice(start, start + len(data))
        good = (
            _xor(bytes([count]) + data + check) == 0
            and start >= 0
            and span.stop <= len(self.flash)
            and set(self.flash[span]) == {0xFF}
        )
        if good:
            self.flash[span] = data
        wire.write(_ACK if good else _NACK)

    def _erase(self, wire: Wire) -> None:
        (count,) = wire.read(1)
        if count == 0xFF:
            pages = bytes(range(len(self.flash) // _PAGE))
            good = wire.read(1) == b"\x00"
        else:
            pages = wire.read(count + 1)
            good = _xor(bytes([count]) + pages + wire.read(1)) == 0
        for page in pages if good else ():
            self.flash[page * _PAGE : (page + 1) * _PAGE] = b"\xff" * _PAGE
        wire.write(_ACK if good else _NACK)


def _xor(data: bytes) -> int:
    return reduce(lambda a, b: a ^ b, data, 0)
