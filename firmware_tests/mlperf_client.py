"""A runner of MLPerf Tiny in small: what the published ones send, and what they look for.

Written from the protocol's facts, not from the firmware: a command ends with ``%``, its answer with
the line ``m-ready``, data go over in pieces of 31 bytes, and every answer is read with the patterns
that the runner of mlcommons/tiny reads it with.
"""

import re
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

_PIECE = 31
_READY = "m-ready"


class Wire(Protocol):
    """Any link of tinygen's."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after waiting ``timeout_s`` at most for the first byte."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""


@dataclass(frozen=True)
class Measurement:
    """What an ``infer`` told."""

    lines: tuple[str, ...]
    laps: tuple[int, ...]
    results: tuple[float, ...]

    @property
    def microseconds(self) -> int:
        """Between the two time stamps."""
        start, end = self.laps
        return end - start


class MlperfClient:
    """Talks to a device under test."""

    def __init__(self, wire: Wire, patience_s: float = 60.0) -> None:
        self._wire, self._patience_s = wire, patience_s
        self._received = b""

    def boot(self) -> list[str]:
        """The lines that the device prints at start."""
        return self._until_ready()

    def command(self, text: str | bytes) -> list[str]:
        """The lines of a command's answer, without the last one."""
        data = text.encode("ascii") if isinstance(text, str) else text
        self._wire.write(data + b"%")
        return self._until_ready()

    def name(self) -> str:
        """Whom a runner with ``check_name`` takes the device for."""
        return _only(r"m-name-dut-\[([^]]+)]", self.command("name"))

    def profile(self) -> dict[str, str]:
        """The benchmark's profile, and the model that chooses the runner's test."""
        found = (re.fullmatch(r"m-(model|profile)-\[([^]]+)]", x) for x in self.command("profile"))
        return {match[1]: match[2] for match in found if match}

    def timestamp(self) -> int:
        """Microseconds."""
        return int(_only(r"m-lap-us-([0-9]+)", self.command("timestamp")))

    def load(self, data: bytes) -> list[str]:
        """Fill the device's buffer; the answer to the last piece."""
        answer = self.command(f"db load {len(data)}")
        for start in range(0, len(data), _PIECE):
            answer = self.command(f"db {data[start : start + _PIECE].hex()}")
        return answer

    def buffer(self, arguments: str = "") -> bytes:
        """What the device has got."""
        lines = self.command(f"db print {arguments}")
        parts = [_only(r"m-buffer-((?:[0-9a-f]{2}-?)+)", [line]) for line in lines]
        return bytes.fromhex("".join(parts).replace("-", ""))

    def infer(self, count: int, warmups: int = 0) -> Measurement:
        """Measure ``count`` inferences."""
        return measurement(self.command(f"infer {count} {warmups}"))

    def _until_ready(self) -> list[str]:
        lines: list[str] = []
        while True:
            line = self._line()
            if _READY in line:
                assert line == _READY, f"a runner takes {line!r} for the end"
                return lines
            lines.append(line)

    def _line(self) -> str:
        end = monotonic() + self._patience_s
        while b"\n" not in self._received:
            left = end - monotonic()
            assert left > 0, f"no answer, only {self._received!r}"
            self._received += self._wire.read(left)
        line, self._received = self._received.split(b"\n", 1)
        assert line.endswith(b"\r"), f"{line!r} does not end as lines on a wire do"
        return line[:-1].decode("ascii")


def measurement(lines: list[str]) -> Measurement:
    """Read the answer to ``infer``."""
    laps = [re.fullmatch(r"m-lap-us-([0-9]+)", line) for line in lines]
    values = _only(r"m-results-\[([^]]+)]", lines).split(",")
    return Measurement(
        tuple(lines), tuple(int(m[1]) for m in laps if m), tuple(float(x) for x in values)
    )


def _only(pattern: str, lines: list[str]) -> str:
    found = [match[1] for line in lines if (match := re.fullmatch(pattern, line))]
    assert len(found) == 1, f"not one {pattern} in {lines}"
    return found[0]
