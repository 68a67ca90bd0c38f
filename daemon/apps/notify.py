"""What is told of alarms, electrodes and silence, how often, and in which words.

At most one of each kind in ``every_s``, and ``hourly`` of all in an hour, and none in quiet hours.
What has begun and may not be told is told as soon as it may, if it lasts; what was over by then is
counted in the next one. The end of what was told to begin is told whatever the number.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from config.notify import NotifyOptions
from daemon.terminal import plain
from daemon.wire.client import STALE_S, Item, Restarted, Silent
from daemon.wire.codec import utc_text
from daemon.wire.messages import (
    AlarmMessage,
    IdentityMessage,
    Received,
    Source,
    Stamp,
    StatusMessage,
)
from daemon.wire.status import ChipStatus
from dsp.front_end import RATE_HZ
from model.rhythm import CAUTION

SCHEMA = 1
COMES = {"accepted": "recognised", "unknown": "stranger"}
HOUR_S = 3600.0
ELECTRODES_OFF, NOTHING_MEASURED = "electrodes_off", "nothing_measured"
DEVICE_TROUBLE = "device_trouble"

Phase: TypeAlias = Literal["begins", "ends", "happened", "test"]

PHASES: dict[Phase, str] = {
    "begins": "begins",
    "ends": "over",
    "happened": "happened",
    "test": "notifications arrive",
}


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that is told: no waveform, and no name unless ``notify.names`` is set."""

    kind: str  # of the alarm, or what else there is to tell (``config.notify``), or ``test``
    phase: Phase  # ``happened``: it was over when it was first told
    device: str  # name of the device
    source: Source | None  # ``simulated`` if no real chip is behind it; None if none was heard
    onset_utc: datetime  # when it began
    end_utc: datetime | None = None  # when it was over; None while it lasts
    person: str | None = None  # who was recognised then, if it is told at all
    held_back: dict[str, int] = field(default_factory=dict)  # since the one before, by kind
    lost: int = 0  # those before that this way could not bring
    #: the same whenever it is tried again, so that a receiver knows it
    id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def title(self) -> str:
        """Return it in a line."""
        simulated = ", SIMULATED" if self.source == "simulated" else ""
        return f"qrsd: {_words(self.kind)}: {PHASES[self.phase]} ({plain(self.device)}{simulated})"

    @property
    def text(self) -> str:
        """Return all of it in lines."""
        ended = f" to {_local(self.end_utc)}" if self.end_utc else ""
        lines = [f"{self.title}.", f"{'From' if ended else 'At'} {_local(self.onset_utc)}{ended}."]
        if self.person:
            lines.append(f"Recognised: {plain(self.person)}.")
        if self.held_back:
            held = ", ".join(f"{n} of {_words(kind)}" for kind, n in self.held_back.items())
            lines.append(f"Held back since the notification before: {held}.")
        if self.lost:
            lines.append(f"Could not be sent: {self.lost} before this one.")
        return "\n".join([*lines, f"{CAUTION.capitalize()}."])

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        told = {
            "schema": SCHEMA,
            "id": self.id,
            "kind": self.kind,
            "phase": self.phase,
            "device": self.device,
            "source": self.source,
            "onset_utc": utc_text(self.onset_utc),
            "end_utc": self.end_utc and utc_text(self.end_utc),
            "held_back": self.held_back,
            "lost": self.lost,
            "text": self.text,
            "caution": CAUTION,
        }
        return told | ({"person": self.person} if self.person else {})


@dataclass(slots=True)
class _Lasting:
    """Something that has begun."""

    onset: datetime
    person: str | None  # who was recognised then
    is_told: bool = False


class Notifier:
    """Takes what a subscriber hears, and says what is to be told.

    Args:
        options: the ``notify`` section of the settings.
        device: what to call the device until it has told its name.
        monotonic: returns seconds that no set clock moves.
        now: returns the local time, with its zone.
    """

    def __init__(
        self,
        options: NotifyOptions,
        device: str,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
    ) -> None:
        self._options = options
        self._monotonic, self._now = monotonic, now
        self._device = device
        self._source: Source | None = None
        self._person: str | None = None
        self._who: tuple[str, str | None] | None = None  # whom it was last told of, while worn
        self._lasting: dict[str, _Lasting] = {}  # what has begun, by kind
        self._newest_s: dict[str, float] = {}  # when each kind was told of last
        self._told_s: deque[float] = deque()  # when any was, within an hour
        self._held_back: Counter[str] = Counter()
        self._measured_s = monotonic()  # when a status of a running service came last
        self._silent_from = now()
        self._worn = False  # whether the electrodes were on before they were off
        self._off: tuple[float, datetime] | None = None  # since when they are off

    def take(self, item: Item) -> list[Notification]:
        """Take in what was heard next, silence too, and return what is to be told now."""
        told: list[Notification] = []
        match item:
            case Received(stamp, message):
                self._device, self._source = stamp.device, stamp.source
                match message:
                    case AlarmMessage():
                        told += self._alarm(stamp, message)
                    case StatusMessage():
                        told += self._status(stamp, message)
                    case IdentityMessage():
                        told += self._identity(stamp, message)
            case Silent(seconds) if seconds >= STALE_S:
                self._person = self._who = None
            case Restarted():  # whose alarms never end
                own = (ELECTRODES_OFF, NOTHING_MEASURED, DEVICE_TROUBLE)
                self._lasting = {kind: self._lasting[kind] for kind in own if kind in self._lasting}
                self._person = self._who = None
        told += self._silence()
        return told + list(self._begun())

    def test(self) -> Notification:
        """Return a notification that tells of nothing."""
        return Notification("test", "test", self._device, self._source, self._now())

    def _alarm(self, stamp: Stamp, alarm: AlarmMessage) -> Iterator[Notification]:
        def utc(index: int) -> datetime:
            return stamp.utc + timedelta(seconds=(index - alarm.index) / RATE_HZ)

        end = None if alarm.end is None else utc(alarm.end)
        return self._episode(alarm.kind, utc(alarm.onset), end)

    def _status(self, stamp: Stamp, status: StatusMessage) -> Iterator[Notification]:
        if status.state == "running":
            if NOTHING_MEASURED in self._lasting:
                yield from self._episode(NOTHING_MEASURED, self._silent_from, stamp.utc)
            self._measured_s, self._silent_from = self._monotonic(), stamp.utc
        if status.contact == "on":
            if self._off and ELECTRODES_OFF in self._lasting:
                yield from self._episode(ELECTRODES_OFF, self._off[1], stamp.utc)
            self._worn, self._off = True, None
        elif status.contact == "off" and self._worn:
            self._off = self._off or (self._monotonic(), stamp.utc)
            if self._is_over(self._options.electrodes_off_s, self._off[0], ELECTRODES_OFF):
                yield from self._episode(ELECTRODES_OFF, self._off[1], None)
        yield from self._chip(stamp, status.chip)

    def _chip(self, stamp: Stamp, chip: ChipStatus | None) -> Iterator[Notification]:
        began = self._lasting.get(DEVICE_TROUBLE)
        if chip and (chip.error or chip.conditions):
            if not began:
                yield from self._episode(DEVICE_TROUBLE, stamp.utc, None)
        elif began and chip and chip.conditions is not None:  # else the driver has not told yet
            yield from self._episode(DEVICE_TROUBLE, began.onset, stamp.utc)

    def _identity(self, stamp: Stamp, identity: IdentityMessage) -> Iterator[Notification]:
        """Tell once of whoever comes, however often the decision is taken again."""
        state, person = identity.state, identity.person
        self._person = person if state == "accepted" else None
        if state == "no_contact":
            self._who = None
        elif state in COMES and (state, person) != self._who:
            self._who = (state, person)
            yield from self._episode(COMES[state], stamp.utc, stamp.utc)

    def _silence(self) -> Iterator[Notification]:
        limit_s = self._options.nothing_measured_s
        if self._is_over(limit_s, self._measured_s, NOTHING_MEASURED):
            yield from self._episode(NOTHING_MEASURED, self._silent_from, None)

    def _is_over(self, limit_s: float | None, since_s: float, kind: str) -> bool:
        """Tell whether something lasts for too long, and was not noticed yet."""
        if limit_s is None or kind in self._lasting:
            return False
        return self._monotonic() - since_s > limit_s

    def _episode(self, kind: str, onset: datetime, end: datetime | None) -> Iterator[Notification]:
        """Take note that an episode begins, or tell that it is over, if that may be told."""
        if not self._options.tells(kind):
            return
        began = self._lasting.pop(kind, None)
        if end is None:
            self._lasting[kind] = _Lasting(onset, self._person)
        elif began is None and self._may(kind):
            yield self._told(kind, "happened", onset, end, self._person)
        elif began and began.is_told and not self._is_quiet(kind):
            yield self._told(kind, "ends", onset, end, began.person)
        else:
            self._held_back[kind] += 1

    def _begun(self) -> Iterator[Notification]:
        """Tell of what has begun, some of it long ago, as soon as it may be told."""
        for kind, lasting in self._lasting.items():
            if not lasting.is_told and self._may(kind):
                lasting.is_told = True
                yield self._told(kind, "begins", lasting.onset, None, lasting.person)

    def _told(
        self, kind: str, phase: Phase, onset: datetime, end: datetime | None, person: str | None
    ) -> Notification:
        self._told_s.append(self._monotonic())
        if phase != "ends":
            self._newest_s[kind] = self._monotonic()
        held_back = dict(self._held_back)
        self._held_back.clear()
        name = person if self._options.names else None
        return Notification(kind, phase, self._device, self._source, onset, end, name, held_back)

    def _may(self, kind: str) -> bool:
        """Tell whether the limits leave room for one of a kind now."""
        now_s = self._monotonic()
        while self._told_s and now_s - self._told_s[0] >= HOUR_S:
            self._told_s.popleft()
        newest_s = self._newest_s.get(kind)
        if newest_s is not None and now_s - newest_s < self._options.every_s:
            return False
        too_many = len(self._told_s) >= self._options.hourly and kind not in self._options.always
        return not too_many and not self._is_quiet(kind)

    def _is_quiet(self, kind: str) -> bool:
        return kind not in self._options.always and self._options.is_quiet(self._now().time())


def _words(code: str) -> str:
    return plain(code).replace("_", " ")


def _local(utc: datetime) -> str:
    return utc.astimezone().isoformat(" ", "seconds")
