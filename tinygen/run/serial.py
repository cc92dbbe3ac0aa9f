"""A serial port as a link: a USB device, an emulator's socket, any URL that pyserial opens."""

import serial

from tinygen.errors import DeviceError

_WRITE_S = 30.0
_CHUNK = 1 << 16


class SerialLink:
    """An open pyserial port as a link."""

    shared = None

    def __init__(self, url: str, baud: int = 115200) -> None:
        """Open ``url``. Raises DeviceError."""
        try:
            self._port = serial.serial_for_url(url, baudrate=baud, write_timeout=_WRITE_S)
        except (serial.SerialException, ValueError) as error:
            raise DeviceError(f"cannot open {url}: {error}") from None

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""
        first = self._read(1, timeout_s)
        if not first:
            return b""
        try:
            return first + self._read(_CHUNK, 0.0)
        except DeviceError:
            return first  # the next call tells

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise DeviceError(f"the device took no input for {_WRITE_S:.0f} s: it hangs") from None
        except (serial.SerialException, OSError) as error:
            raise DeviceError(f"the connection is lost: {error}") from None

    def close(self) -> None:
        """Close the port."""
        # pyserial leaves a socket open whose other end has gone, and sleeps 0.3 s after closing.
        connection = getattr(self._port, "_socket", None)
        if connection is not None:
            connection.close()
            self._port.is_open = False
        else:
            self._port.close()

    def _read(self, size: int, timeout_s: float) -> bytes:
        try:
            self._port.timeout = timeout_s
            data: bytes = self._port.read(size)
        except (serial.SerialException, OSError) as error:
            raise DeviceError(f"the connection is lost: {error}") from None
        return data
