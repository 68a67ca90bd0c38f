"""A subscriber and a client of the service under test, and how far its beats are off."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zmq

from daemon.closing import Closing
from daemon.wire.client import Continuity, Lost
from daemon.wire.codec import decode
from daemon.wire.messages import BeatMessage, IdentityMessage, Received, StatusMessage

TOPICS = (StatusMessage.TOPIC, BeatMessage.TOPIC, IdentityMessage.TOPIC)
ERRORS_KEPT = 600  # beats that make a median: about eight minutes


class Listener(Closing):
    """Takes what has come from publisher and control socket, without ever waiting.

    Attributes:
        lost: messages that did not arrive.
        answers: to requests, by whether they said ok.
    """

    def __init__(self, messages: str, control: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._subscriber: zmq.Socket[bytes] = self._context.socket(zmq.SUB)
        self._subscriber.connect(messages)
        for topic in TOPICS:
            self._subscriber.subscribe(topic)
        self._control: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        self._control.linger = 0
        self._control.connect(control)
        self._continuity = Continuity()
        self.lost = 0
        self.asked = 0
        self.answers: Counter[bool] = Counter()

    def ask(self, command: str, **fields: object) -> None:
        """Send a request, whose answer is counted when it comes."""
        self._control.send(json.dumps({"command": command, **fields}).encode())
        self.asked += 1

    def take(self) -> list[Received]:
        """Return the messages that have arrived."""
        while self._control.poll(0):
            self.answers[json.loads(self._control.recv())["ok"]] += 1
        taken = []
        while self._subscriber.poll(0):
            received = decode(self._subscriber.recv_multipart())
            news = self._continuity.check(received.message.TOPIC, received.stamp)
            self.lost += sum(item.count for item in news or () if isinstance(item, Lost))
            if news is not None:
                taken.append(received)
        return taken

    def close(self) -> None:
        """Hang up."""
        self._context.destroy(linger=0)


@dataclass(slots=True)
class BeatTimes:
    """By how much the times of beats are off; medians of so many, so that memory stays flat."""

    medians: list[tuple[float, float]] = field(default_factory=list)  # (hours, median error in ms)
    beats: int = 0  # how many there were
    off: int = 0  # those that were off by more than a tenth of a second, as artefacts are
    _errors_ms: list[float] = field(default_factory=list)

    def add(self, hours: float, error_s: float) -> None:
        """Take one beat."""
        self.beats += 1
        if abs(error_s) > 0.1:
            self.off += 1
            return
        self._errors_ms.append(1000 * error_s)
        if len(self._errors_ms) == ERRORS_KEPT:
            self.medians.append((hours, float(np.median(self._errors_ms))))
            self._errors_ms.clear()

    def as_json(self) -> dict[str, Any]:
        """Return the figures."""
        errors_ms = [median for _, median in self.medians]
        return {
            "beats": self.beats,
            "beats_off": self.off,
            "beat_error_ms": [min(errors_ms), max(errors_ms)] if errors_ms else None,
            "beat_drift_ms_per_hour": slope(self.medians),
        }


def slope(points: list[tuple[float, float]]) -> float | None:
    """Return the slope of the line through points by least squares; None if there are few."""
    if len(points) < 3:
        return None
    at, value = np.array(points).T
    return float(np.polyfit(at - at.mean(), value, 1)[0])
