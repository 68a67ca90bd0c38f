"""Writes the newest figures to a server that takes InfluxDB's line protocol.

    qrsd,device=hall,source=simulated heart_rate_bpm=71.3,identity="accepted" 1795890000000

Lines that could not be written wait, and the oldest give way: see ``MOST_WAITING``. Source:
https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol.
"""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable

from config.influx import InfluxOptions
from daemon.apps.figures import Figures
from daemon.apps.http_post import NotSent, post
from daemon.journal import event
from daemon.wire.client import Item, Silent

MOST_WAITING = 8640  # lines: a day of every ten seconds
AT_ONCE = 1000  # lines in a request
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0

_LOG = logging.getLogger(__name__)


class Lines:
    """Keeps what is to be written.

    Args:
        options: the ``influx`` section of the settings.
        device: name of the device.
        utc_s: the computer's clock.
    """

    def __init__(
        self, options: InfluxOptions, device: str, utc_s: Callable[[], float] = time.time
    ) -> None:
        self._device = device
        self._every_s = options.every_s
        self._utc_s = utc_s
        self._figures = Figures(names=options.names)
        self._due_s = float("-inf")
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)

    def put(self, item: Item) -> None:
        """Take in what was heard next."""
        self._figures.take(item)
        now_s = self._utc_s()
        if isinstance(item, Silent) or 0 <= self._due_s - now_s <= self._every_s:
            return
        self._due_s = now_s + self._every_s
        if line := line_of(self._figures.state, self._device, now_s):
            self._waiting.append(line)

    def take(self) -> list[str]:
        """Take the oldest out, to be written."""
        return [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]

    def put_back(self, lines: list[str]) -> None:
        """Keep what could not be written, but for what there is no room for."""
        room = MOST_WAITING - len(self._waiting)
        self._waiting.extendleft(reversed(lines[max(len(lines) - room, 0) :]))


def line_of(state: dict[str, object], device: str, utc_s: float) -> str:
    """Return a line of the protocol; empty where nothing is known."""
    known = {name: value for name, value in state.items() if value is not None}
    source = known.pop("source", "unknown")
    if not known:
        return ""
    fields = ",".join(f"{name}={_field(value)}" for name, value in known.items())
    return f"qrsd,device={_tag(device)},source={source} {fields} {round(1000 * utc_s)}"


def _field(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", " ")
        return f'"{escaped}"'
    return f"{float(value):g}" if isinstance(value, int | float) else ""


def _tag(text: str) -> str:
    return re.sub(r"([,= \\])", r"\\\1", " ".join(text.split())) or "device"


def write(
    options: InfluxOptions, lines: Lines, token: str | None, pause: Callable[[float], bool]
) -> None:
    """Write what comes, until a pause says that it is time to end.

    Args:
        options: the ``influx`` section of the settings.
        lines: to be written.
        token: by which the server knows us; None to come without.
        pause: waits so many seconds, and returns whether it is time to end.
    """
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    headers |= {"Authorization": f"Token {token}"} if token else {}
    pause_s = 0.0
    while not pause(pause_s or options.every_s):
        taken = lines.take()
        if not taken:
            continue
        try:
            post(options.write_url, "\n".join(taken).encode(), headers)
        except NotSent as error:
            lines.put_back(taken)
            if not pause_s:
                _LOG.warning(
                    "%s %s; it is tried again", options.url, error, extra=event("influx_fails")
                )
            pause_s = min(2 * pause_s or FIRST_PAUSE_S, LONGEST_PAUSE_S)
        else:
            if pause_s:
                _LOG.info("%s takes it again", options.url, extra=event("influx_writes"))
            pause_s = 0.0
