"""A serial line that breaks things on purpose, from a seed: it stands between host and firmware.

The host opens the proxy's pseudo-terminal or TCP port with the same client code as any port;
behind the proxy is any link to a firmware. In both directions bytes are lost, flipped, doubled,
delayed and cut short, and whole frames of the past come again. On command the firmware starts
again, or the port vanishes for a while as when a plug is pulled.
"""

import os
import pty
import random
import socket
import termios
import threading
import tty
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Protocol, Self

from tinygen.errors import DeviceError
from tinygen.run.link import Link

_TURN_S = 0.0005
_CHUNK = 4096
_KEPT_FRAMES = 64
_LONGEST_BURST = 40


@dataclass(frozen=True, slots=True)
class Faults:
    """How a line misbehaves.

    A fault comes once in ``gap`` bytes, on average; 0 is never. ``kinds`` are names of the methods
    of ``Wire``; ``delay_s`` is the longest delay. ``restart_at`` and ``unplug_at`` are numbers of
    bytes from the host after which the firmware starts again, and the port vanishes for ``gone_s``.
    """

    seed: int = 0
    gap: int = 0
    kinds: tuple[str, ...] = ("drop", "flip", "double", "delay", "cut", "noise", "replay")
    delay_s: float = 0.15
    restart_at: tuple[int, ...] = ()
    unplug_at: tuple[int, ...] = ()
    gone_s: float = 0.1


class Wire:
    """One direction: bytes go in at one end, and what is left of them comes out at the other.

    ``count`` bytes have gone in; ``harm`` counts the faults by kind.
    """

    def __init__(self, faults: Faults, seed: int, harm: Counter[str]) -> None:
        self.count = 0
        self._harm = harm
        self._faults, self._random = faults, random.Random(seed)
        self._next = self._gap()
        self._out: deque[tuple[float, bytes]] = deque()
        self._held_until = 0.0
        self._dropping = 0
        self._cutting = False
        self._recent = bytearray()
        self._frames: deque[bytes] = deque(maxlen=_KEPT_FRAMES)

    def put(self, data: bytes) -> None:
        """Send ``data``."""
        for value in data:
            self._remember(value)
            self.count += 1
            self._next -= 1
            if self._next == 0:
                kind = self._random.choice(self._faults.kinds)
                self._harm[kind] += 1
                getattr(self, kind)(value)
                self._next = self._gap()
            else:
                self._emit(bytes((value,)))

    def take(self) -> bytes:
        """What has arrived by now."""
        arrived = bytearray()
        now = monotonic()
        while self._out and self._out[0][0] <= now:
            arrived += self._out.popleft()[1]
        return bytes(arrived)

    def drop(self, value: int) -> None:
        """Lose some bytes, this one first."""
        del value
        self._dropping = self._random.randrange(_LONGEST_BURST)

    def flip(self, value: int) -> None:
        """Change one bit."""
        self._emit(bytes((value ^ 1 << self._random.randrange(8),)))

    def double(self, value: int) -> None:
        """Send the last bytes again."""
        self._emit(bytes((value,)) + bytes(self._recent[-self._random.randrange(1, 40) :]))

    def delay(self, value: int) -> None:
        """Hold this byte and all that follow for a while."""
        self._held_until = monotonic() + self._random.random() * self._faults.delay_s
        self._emit(bytes((value,)))

    def cut(self, value: int) -> None:
        """Lose the rest of the frame."""
        self._cutting = value != 0

    def noise(self, value: int) -> None:
        """Put bytes of no meaning before this one."""
        self._emit(self._random.randbytes(self._random.randrange(1, 20)) + bytes((value,)))

    def replay(self, value: int) -> None:
        """Bring a frame of the past again: of this session, or of an earlier one."""
        frame = self._random.choice(self._frames) if self._frames else b""
        self._emit(bytes((value,)) + b"\0" + frame + b"\0")

    def _emit(self, data: bytes) -> None:
        for value in data:
            if self._dropping:
                self._dropping -= 1
            elif self._cutting:
                self._cutting = value != 0
            else:
                self._append(value)

    def _append(self, value: int) -> None:
        if self._out and self._out[-1][0] == self._held_until:
            moment, data = self._out.pop()
            self._out.append((moment, data + bytes((value,))))
        else:
            self._out.append((self._held_until, bytes((value,))))

    def _remember(self, value: int) -> None:
        self._recent.append(value)
        if value == 0:
            frame = bytes(self._recent[:-1]).rsplit(b"\0", 1)[-1]
            if frame:
                self._frames.append(frame)
        del self._recent[:-_CHUNK]

    def _gap(self) -> int:
        gap = self._faults.gap
        return 1 + int(self._random.expovariate(1 / gap)) if gap else 0


class Port(Protocol):
    """Where the host connects."""

    @property
    def url(self) -> str:
        """What pyserial opens."""

    def plug(self) -> None:
        """Make the port appear."""

    def unplug(self) -> None:
        """Make it vanish, and whoever has it open notice."""

    def read(self) -> bytes:
        """What the host has sent, without waiting."""

    def write(self, data: bytes) -> int:
        """Pass bytes to the host; returns how many there was room for."""


class PtyPort:
    """A pseudo-terminal under a name that stays the same."""

    def __init__(self, name: Path) -> None:
        self._name = name
        self._ends: tuple[int, int] | None = None

    @property
    def url(self) -> str:
        """The name."""
        return str(self._name)

    def plug(self) -> None:
        """Make a terminal, and have the name point to it."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = master, slave
        self._name.symlink_to(os.ttyname(slave))

    def unplug(self) -> None:
        """Remove the name, then the terminal."""
        self._name.unlink()
        for end in self._ends or ():
            os.close(end)
        self._ends = None

    def read(self) -> bytes:
        """What the host has sent."""
        if self._ends is None:
            return b""
        with suppress(BlockingIOError):
            return os.read(self._ends[0], _CHUNK)
        return b""

    def write(self, data: bytes) -> int:
        """Pass bytes to the host."""
        if self._ends is None:
            return len(data)
        with suppress(BlockingIOError, termios.error):
            return os.write(self._ends[0], data)
        return 0


class TcpPort:
    """A TCP port of this computer, for one client at a time."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._address: tuple[str, int] = server.getsockname()
        self._server: socket.socket | None = None
        self._client: socket.socket | None = None

    @property
    def url(self) -> str:
        """The URL."""
        return f"socket://{self._address[0]}:{self._address[1]}"

    def plug(self) -> None:
        """Listen."""
        self._server = socket.create_server(self._address)
        self._server.setblocking(False)

    def unplug(self) -> None:
        """Hang up."""
        for end in (self._server, self._client):
            if end is not None:
                end.close()
        self._client = self._server = None

    def read(self) -> bytes:
        """What the host has sent."""
        if self._client is None:
            self._accept()
        if self._client is None:
            return b""
        with suppress(BlockingIOError):
            data = self._recv(self._client)
            if not data:
                self._client.close()
                self._client = None
            return data
        return b""

    def write(self, data: bytes) -> int:
        """Pass bytes to the host."""
        if self._client is None:
            return len(data)
        with suppress(BlockingIOError, ConnectionError):
            return self._client.send(data)
        return 0

    @staticmethod
    def _recv(client: socket.socket) -> bytes:
        with suppress(ConnectionError):
            return client.recv(_CHUNK)
        return b""

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            if self._server is not None:
                self._client, _ = self._server.accept()
                self._client.setblocking(False)
                self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class FaultProxy:
    """Carries bytes between ``port`` and a firmware, as ``faults`` say, while the context is open.

    ``start`` starts the firmware, and does so again after each restart. ``harm`` counts the faults
    by kind.
    """

    def __init__(
        self, port: Port, start: Callable[[], AbstractContextManager[Link]], faults: Faults
    ) -> None:
        self.url = port.url
        self.harm: Counter[str] = Counter()
        self._port, self._start, self._faults = port, start, faults
        self._up = Wire(faults, 2 * faults.seed, self.harm)
        self._down = Wire(faults, 2 * faults.seed + 1, self.harm)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> Self:
        self._port.plug()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _carry(self) -> None:
        restarts, unplugs = list(self._faults.restart_at), list(self._faults.unplug_at)
        with ExitStack() as stack:
            stack.callback(self._port.unplug)
            while not self._stop.is_set():
                with suppress(DeviceError), self._start() as link:
                    while not self._stop.is_set():
                        self._turn(link)
                        if unplugs and self._up.count >= unplugs[0]:
                            unplugs.pop(0)
                            self._unplug()
                        if restarts and self._up.count >= restarts[0]:
                            restarts.pop(0)
                            self.harm["restart"] += 1
                            break

    def _turn(self, link: Link) -> None:
        self._up.put(self._port.read())
        if data := self._up.take():
            link.write(data)
        self._down.put(link.read(_TURN_S))
        waiting = self._down.take()
        while waiting and not self._stop.is_set():
            sent = self._port.write(waiting)
            waiting = waiting[sent:]
            if not sent:
                self._stop.wait(_TURN_S)

    def _unplug(self) -> None:
        self.harm["unplug"] += 1
        self._port.unplug()
        self._stop.wait(self._faults.gone_s)
        self._port.plug()
