"""What an inference takes on hardware, by the firmware's own timer: measured, not estimated."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.ir import Array
from tinygen.run.device import Device, Inference

DEVICE_TIMER = "device timer"

# A layer's time hardly differs from one vector to the next, and a board is slow.
_LAYER_VECTORS = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """Ticks of one inference, of a timer that runs at ``timer_hz``: the mean of all, rounded.

    The timer is the core's cycle counter where the core has one; ``timer_hz`` is then its clock.
    ``layers`` comes from a pass of its own, since looking at the timer between the layers takes
    time too: its sum is not ``ticks``.
    """

    timer_hz: int
    inferences: int
    ticks: int
    fewest: int
    most: int
    layers: tuple[int, ...]
    method: str = DEVICE_TIMER

    @property
    def seconds(self) -> float:
        """The duration of one inference."""
        return self.ticks / self.timer_hz


def measure(
    device: Device, inferences: Sequence[Inference], vectors: Sequence[Sequence[Array]]
) -> Measured | None:
    """What ``inferences`` took, and what each layer takes, from running some of ``vectors`` again.

    None if the device's timer stands still, or is too slow to tell. Raises DeviceError.
    """
    ticks = [i.ticks for i in inferences]
    timer_hz = device.identity.timer_hz
    if timer_hz == 0 or not ticks or max(ticks) == 0:
        return None
    layers = [device.counters(v).layers for v in vectors[:_LAYER_VECTORS]]
    return Measured(
        timer_hz=timer_hz,
        inferences=len(ticks),
        ticks=_mean(ticks),
        fewest=min(ticks),
        most=max(ticks),
        layers=tuple(_mean(column) for column in zip(*layers, strict=True)),
    )


def _mean(values: Sequence[int]) -> int:
    return round(sum(values) / len(values))
