"""Bounds on the time and the memory of a piece of work in this process."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 10.0
BYTES = 1 << 30
# A loop in C looks at no signal; this much later the process dies.
_GRACE_SECONDS = 10


class OutOfTime(BaseException):
    """The work took too long; no ``except Exception`` may hide it."""


@contextmanager
def bounded() -> Iterator[None]:
    """At most ``SECONDS`` of processor time, else OutOfTime; at most ``BYTES`` of address space,
    else MemoryError. What hangs outside of Python ends the process."""

    def late(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise OutOfTime(f"more than {SECONDS:g} s of processor time")

    space = resource.getrlimit(resource.RLIMIT_AS)
    time = resource.getrlimit(resource.RLIMIT_CPU)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, space[1]))
    resource.setrlimit(resource.RLIMIT_CPU, (spent + int(SECONDS) + _GRACE_SECONDS, time[1]))
    handler = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_CPU, time)
        resource.setrlimit(resource.RLIMIT_AS, space)
