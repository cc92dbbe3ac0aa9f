"""Requests and their replies over a line that may lose, double, damage and delay what it carries.

The host numbers the requests of a session and sends as many ahead as the firmware takes. What is
not answered in time is sent again from the first gap on, a bounded number of times, and the
firmware carries nothing out twice. Then there is one clear error.
"""

import secrets
from collections.abc import Callable, Sequence
from time import monotonic

from tinygen.errors import DeviceError
from tinygen.run.frames import REPLY, SEQUENCES, Frame, FrameReader, ProtocolError, encode_frame
from tinygen.run.link import InterruptionError, Link, Patience, RestartError
from tinygen.run.protocol import Message, Refusal, decode_crash, decode_refused

Request = tuple[Message, bytes]

# A firmware that has crashed says so to every request, in the session that it was in; a report that
# was on its way since an earlier session comes once.
_STRANGE_CRASHES = 3


class Exchange:
    """The host's end of a session. ``where`` turns an address of the image into words.

    ``window`` is how many requests may be under way at once; a new session starts with one.
    """

    def __init__(self, link: Link, patience: Patience, where: Callable[[int], str]) -> None:
        self.window = 1
        self._link = link
        self._patience = patience
        self._where = where
        self._reader = FrameReader()
        self._pending: list[Frame] = []
        self._session = 0
        self._next = 0
        self._strange_crashes: list[Frame] = []
        self._echoes = False

    def start(self) -> None:
        """Begin a new session: its first request must be IDENTIFY."""
        # A number that no frame still on its way has. 0 is no session.
        self._session = 1 + secrets.randbelow((1 << 32) - 1)
        self._next = 0
        self.window = 1
        self._strange_crashes = []

    def ask(
        self, requests: Sequence[Request], reply_s: float | None = None, retries: int | None = None
    ) -> list[bytes]:
        """Send ``requests`` in order, and return the payloads of their replies.

        All of them must be harmless to repeat in place, or be alone: the firmware answers an old
        number from what it holds now. ``retries`` is the number of times in a row that nothing new
        may arrive within ``reply_s``. Raises RestartError, LinkLostError and other DeviceErrors.
        """
        patience = self._patience
        wait_s = patience.reply_s if reply_s is None else reply_s
        tries_left = allowed = patience.retries if retries is None else retries
        first = self._next
        self._next = (first + len(requests)) % SEQUENCES
        replies: dict[int, bytes] = {}
        done = sent = 0
        resent_for = -1
        deadline = monotonic() + wait_s
        while done < len(requests):
            while sent < min(len(requests), done + self.window):
                self._send(requests[sent], (first + sent) % SEQUENCES)
                sent += 1
            frame = self._receive(deadline)
            if frame is None:
                if tries_left == 0:
                    raise self._silence(requests[done][0], wait_s * (allowed + 1))
                tries_left -= 1
                sent, resent_for = done, -1
                deadline = monotonic() + wait_s
                continue
            index = (frame.sequence - first) % SEQUENCES
            gap = self._refusal(frame, index < sent)
            if gap is not None:
                # One burst in flight brings one refusal for each of its frames; one is enough.
                gap = (gap - first) % SEQUENCES
                if done <= gap < sent and gap != resent_for:
                    sent = resent_for = gap
                continue
            if index >= sent or index in replies or frame.kind != requests[index][0] | REPLY:
                continue  # a reply that comes twice, or to a request of another time
            replies[index] = frame.payload
            deadline, tries_left = monotonic() + wait_s, allowed
            while done in replies:
                done += 1
        return [replies[i] for i in range(len(requests))]

    def _send(self, request: Request, sequence: int) -> None:
        kind, payload = request
        self._link.write(encode_frame(Frame(kind, self._session, sequence, payload)))

    def _receive(self, deadline: float) -> Frame | None:
        """The session's next frame; None if there is none before ``deadline``."""
        while True:
            while self._pending:
                frame = self._pending.pop(0)
                if frame.session == self._session:
                    return frame
                self._strange(frame)
            left = deadline - monotonic()
            if left <= 0:
                return None
            try:
                data = self._link.read(left)
            except InterruptionError:
                raise
            except DeviceError:
                if self._strange_crashes:  # the program that has ended has said why
                    raise self._crash(self._strange_crashes[-1]) from None
                raise
            self._pending = self._reader.feed(data)

    def _strange(self, frame: Frame) -> None:
        """A frame of another session is nothing to us, unless it tells why ours does not start."""
        if frame.kind == Message.CRASH:
            self._strange_crashes.append(frame)
            if len(self._strange_crashes) == _STRANGE_CRASHES:
                raise self._crash(frame)

    def _refusal(self, frame: Frame, expected: bool) -> int | None:
        """The number from which a refusal asks to send again; None if ``frame`` is no refusal.

        ``expected`` tells whether the frame has the number of a request that waits for an answer.
        """
        if frame.kind == Message.CRASH:
            raise self._crash(frame)
        if frame.kind < Message.CRASH:
            self._echoes = True  # our own request
        if frame.kind != Message.REFUSED:
            return None
        try:
            reason, number = decode_refused(frame.payload)
        except ProtocolError as error:
            raise DeviceError(f"the device answered nonsense: {error}") from None
        if reason == Refusal.NO_SESSION:
            raise RestartError(
                "the firmware has started again in the middle of the session" + self._words()
            )
        if reason == Refusal.SEQUENCE:
            return number
        if expected:
            raise DeviceError(f"the firmware refused a request (reason {reason})")
        return self._next  # of another time: nothing to send again

    def _crash(self, frame: Frame) -> DeviceError:
        try:
            return DeviceError(decode_crash(frame.payload).words(self._where))
        except ProtocolError as error:
            return DeviceError(f"the firmware crashed; {error}")

    def _silence(self, request: Message, waited_s: float) -> DeviceError:
        what = f"no answer to {request.name} within {waited_s:.0f} s"
        if self._reader.damaged:
            what += f"; {self._reader.damaged} damaged frames arrived"
        hint = "the firmware hangs, or the line is disturbed"
        if self._echoes:
            hint = "what is sent comes back: the line is a loop, or the device only echoes"
        elif request is Message.IDENTIFY:
            hint = self._link.advice
        return DeviceError(what + self._words(), hint)

    def _words(self) -> str:
        """What the device printed last, as further lines of an error."""
        return "".join(f"\n  it printed: {line}" for line in self._reader.last_lines())
