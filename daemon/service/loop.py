"""The service: one loop that owns the sockets, the gallery and the acquisition process.

    samples ---.                     .--> publisher
    reports ----> poll, one thread --+--> answers to commands
    commands --'                     '--> systemd: ready, alive

Only samples that have gone all the way to the publisher feed the watchdog, and only they make the
service ready. An acquisition process that dies is started again, a bounded number of times; what
was lost in between is a jump of the index like any other.
"""

from __future__ import annotations

import logging
import signal
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import FrameType
from typing import Any, cast

from config.typed_json import typed
from daemon.acquisition.handle import Acquisition
from daemon.journal import event
from daemon.service.errors import AcquisitionFailed
from daemon.service.observer import NullObserver, Observer
from daemon.service.people_commands import PeopleCommands
from daemon.service.pipeline import Pipeline
from daemon.service.poller import Poller, Socket
from daemon.service.sd_notify import Notifier
from daemon.service.time_source import TimeSource
from daemon.service.utc_clock import UtcClock
from daemon.wire.control import ControlServer
from daemon.wire.curve_gate import CurveGate
from daemon.wire.messages import ContactState, Message, ServiceState, StatusMessage
from daemon.wire.publisher import Publisher
from daemon.wire.status import ChipStatus, EnrolmentStatus, ModelStatus, Scheduling, StatusCounters
from drivers.chip_setup import ChipSetup
from drivers.frame import Frame

STATUS_S = 1.0
LIMITS_S = 0.1  # between two looks at who sends too much: libzmq keeps 300 MB of it in a second
RESTART_PAUSES_S = (0.0, 0.5, 1.0, 2.0)  # so many restarts, soon enough for the watchdog, within
RESTARTS_FORGOTTEN_S = 60.0
POLL_MS = 250
LAST_WORDS_S = 0.3  # what the sockets' threads need to send the last messages

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the service works with; ``daemon.service.assembly`` puts it together."""

    start_acquisition: Callable[[], Acquisition]  # starts the acquisition process
    pipeline: Pipeline
    people: PeopleCommands
    publisher: Publisher
    control: ControlServer
    clock: UtcClock
    notifier: Notifier
    time: TimeSource  # tells the time of the edges, and lets it pass
    model: ModelStatus  # what the status says of the model
    observer: Observer = field(default_factory=NullObserver)  # is told of every edge and message
    #: what clients of the network come through; None where no address needs one
    gate: CurveGate | None = None


class Service:
    """Runs until it is told to stop, a simulated play ends, or the chip is beyond recovery."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state: ServiceState = "starting"
        publisher, control = parts.publisher, parts.control
        self._serve: dict[Socket, Callable[[], None]] = {  # when it can be read
            publisher.connections.socket: publisher.connections.enforce,
            control.connections.socket: control.connections.enforce,
            publisher.socket: publisher.welcome,
            control.socket: control.answer,
        }
        self._playing: str | None = None
        self._fresh = True  # no sample of this acquisition process has come
        self._index: int | None = None
        self._index_offset = 0
        self._reports: dict[str, dict[str, Any]] = {}
        self._warned: set[str] = set()
        self._received = self._received_before = 0
        self._lost = 0
        self._restarts: deque[float] = deque()
        self._restart_count = 0
        self._queued_max = 0
        self._latency_max_s = 0.0
        self._said: tuple[object, ...] = ()
        self._status_due_s = self._limits_due_s = 0.0
        self._stop_asked = False

    def run(self) -> None:
        """Run the service.

        Raises:
            AcquisitionFailed: the chip failed for good.
        """
        with _stopping_on_signals(self._ask_to_stop):
            try:
                while self._state not in ("ended", "stopping"):
                    self._run_acquisition()
            finally:
                self._say_goodbye()

    def _ask_to_stop(self) -> None:
        self._stop_asked = True

    def _run_acquisition(self) -> None:
        """Start the acquisition process, and take its samples and reports until it ends."""
        acquisition = self._parts.start_acquisition()
        self._fresh = True
        self._reports.pop("error", None)
        poller = self._poller(acquisition.samples, acquisition.reports)
        try:
            while not (acquisition.ended or self._stop_asked):
                ready = poller.poll(POLL_MS)
                self._take(acquisition, ready)
                self._attend(ready)
        finally:
            exit_code = acquisition.stop()
        if self._stop_asked:
            self._state = "stopping"
        elif "end" in self._reports:
            self._state = "ended"
        else:
            self._prepare_restart(exit_code)

    def _poller(self, *pipes: int) -> Poller:
        """Return a poller of these pipes and of the sockets."""
        return self._parts.time.poller(pipes, tuple(self._serve))

    def _take(self, acquisition: Acquisition, ready: Collection[int | Socket]) -> None:
        """Take reports, then samples, as the setup comes before the samples."""
        if acquisition.reports in ready:
            for report in acquisition.read_reports():
                self._take_report(report)
        if acquisition.samples in ready:
            self._take_frames(acquisition.read_frames())

    def _attend(self, ready: Collection[int | Socket]) -> None:
        """Serve the sockets that can be read, and publish the status if it is due."""
        for source in ready:
            if not isinstance(source, int):
                self._serve[source]()
        self._parts.control.keep_promises()
        self._enforce_limits_if_due()
        self._say_status_if_due()

    # Samples

    def _take_frames(self, frames: list[Frame]) -> None:
        parts = self._parts
        for frame in map(self._renumber, frames):
            index, time_s, _, _ = frame
            jitter_s = parts.clock.observe(index, time_s)
            if jitter_s is not None:
                parts.observer.edge(jitter_s)
            messages = parts.pipeline.push(frame)
            if messages:
                self._publish(messages)
                parts.people.attend()  # a beat ends an enrolment, and has messages
            latency_s = parts.time.monotonic() - time_s
            self._latency_max_s = max(self._latency_max_s, latency_s)
        self._received += len(frames)
        self._queued_max = max(self._queued_max, len(frames))
        if frames and self._state != "running":
            self._state = "running"
            self._parts.notifier.ready()

    def _publish(self, messages: list[Message]) -> None:
        for message in messages:
            assert message.index is not None  # only a status may come before any sample
            self._say(message, self._parts.clock.utc(message.index))

    def _say(self, message: Message, utc: datetime) -> None:
        self._parts.publisher.publish(message, utc)
        self._parts.observer.message(message)

    def _miss_samples(self) -> None:
        """Forget the wearer, as no samples come."""
        self._state = "recovering"
        self._publish(self._parts.pipeline.interrupt())

    def _renumber(self, frame: Frame) -> Frame:
        """Continue the index after a restart of the acquisition process, and count lost samples."""
        if self._fresh:
            self._fresh = False
            if self._index is not None:
                index = max(self._parts.clock.index_at(frame.time_s), self._index + 1)
                self._index_offset = index - frame.index
        index = frame.index + self._index_offset
        if self._index_offset:
            frame = frame._replace(index=index)
        if self._index is not None and index > self._index + 1:
            self._lost += index - self._index - 1
            self._parts.clock.take_over_step()
        self._index = index
        return frame

    # Reports

    def _take_report(self, report: dict[str, Any]) -> None:
        kind = report.pop("report")
        self._reports[kind] = report
        match kind:
            case "setup":
                fields = {name: _tuples(value) for name, value in report.items()}
                self._parts.pipeline.use_setup(ChipSetup(**fields))
                simulated = "simulated " if report["simulated"] else ""
                _LOG.info(
                    "%s%s is set up, at %g Hz",
                    simulated,
                    report["part"],
                    report["rate_hz"],
                    extra=event("chip_set_up", part=report["part"], rate_hz=report["rate_hz"]),
                )
            case "playing":
                self._playing = report["name"]
            case "scheduling":
                _LOG.info("acquisition got %s", report, extra=event("scheduling", **report))
            case "counters":
                self._warn(report)

    def _warn(self, counters: Mapping[str, Any]) -> None:
        """Log each condition of the chip once."""
        found = {
            part["condition"]: (part["message"], event("condition", condition=part["condition"]))
            for part in counters["conditions"]
        }
        if fault := counters["last_fault"]:
            found[fault] = (f"The chip was set up again: {fault}", event("chip_restarted"))
        for condition, (message, fields) in found.items():
            if condition not in self._warned:
                _LOG.warning("%s", message, extra=fields)
        self._warned = set(found)

    def _prepare_restart(self, exit_code: int) -> None:
        """Go on after the acquisition process died, unless it never worked or died too often.

        Raises:
            AcquisitionFailed: there is no point in going on.
        """
        error = self._reports.get("error")
        message = error["message"] if error else f"The acquisition process ended ({exit_code})."
        now_s = self._parts.time.monotonic()
        while self._restarts and now_s - self._restarts[0] > RESTARTS_FORGOTTEN_S:
            self._restarts.popleft()
        if self._index is None or len(self._restarts) == len(RESTART_PAUSES_S):
            self._parts.notifier.status(message)
            raise AcquisitionFailed(message, error["error"] if error else None)
        pause_s = RESTART_PAUSES_S[len(self._restarts)]
        self._restarts.append(now_s)
        self._restart_count += 1
        name = error["error"] if error else "died"
        _LOG.warning(
            "acquisition starts again in %g s: %s: %s",
            pause_s,
            name,
            message,
            extra=event("acquisition_restarts", error=name, restarts=self._restart_count),
        )
        self._miss_samples()
        self._say_status_if_due()
        self._wait(pause_s)

    def _wait(self, pause_s: float) -> None:
        """Serve the sockets for a while, without acquisition."""
        poller = self._poller()
        until_s = self._parts.time.monotonic() + pause_s
        while self._parts.time.monotonic() < until_s and not self._stop_asked:
            self._attend(poller.poll(POLL_MS))

    # Status

    def _enforce_limits_if_due(self) -> None:
        """Hang up on whoever sends too much."""
        parts = self._parts
        now_s = parts.time.monotonic()
        if now_s >= self._limits_due_s:
            self._limits_due_s = now_s + LIMITS_S
            parts.publisher.connections.enforce_bytes()
            parts.control.connections.enforce_bytes()

    def _say_status_if_due(self) -> None:
        """Publish the status each second, and at once when state, contact or enrolment changes."""
        parts = self._parts
        said = (self._state, self._contact, self._playing, self._enrolment())
        now_s = parts.time.monotonic()
        if now_s < self._status_due_s and said == self._said:
            return
        if self._nobody_seems_to_wear() or (self._said and self._said[1] == "off"):
            parts.clock.take_over_step()
        if now_s >= self._status_due_s:
            self._status_due_s = now_s + STATUS_S
            parts.clock.follow_wall_clock()
            parts.people.refresh()
            if parts.gate is not None:
                parts.gate.refresh()
            self._feed_watchdog()
        self._said = said
        self._say_status()

    def _feed_watchdog(self) -> None:
        if self._received != self._received_before:
            self._received_before = self._received
            self._parts.notifier.alive()
            self._parts.notifier.status(f"{self._received} samples, {self._lost} lost")
        else:
            if self._state == "running":
                _LOG.warning("no samples come", extra=event("no_samples"))
                self._miss_samples()
            self._parts.notifier.status(f"{self._state}: no samples come")

    def _say_status(self) -> None:
        pipeline, clock, index = self._parts.pipeline, self._parts.clock, self._index
        message = StatusMessage(
            index=index,
            state=self._state,
            contact=self._contact,
            heart_rate_bpm=pipeline.heart_rate_bpm,
            quality=pipeline.quality,
            playing=self._playing,
            counters=self._counters(),
            chip=self._chip(),
            model=self._parts.model,
            scheduling=self._scheduling(),
            enrolment=self._enrolment(),
            clock_offset_s=None if index is None else clock.offset_s,
            clock=clock.state,
        )
        self._say(message, clock.now() if index is None else clock.utc(index))

    def _nobody_seems_to_wear(self) -> bool:
        """Tell whether electrodes are off or, where the chip cannot tell, no good beat counts."""
        if self._contact == "unknown":
            return self._parts.pipeline.recogniser.decision.beats == 0
        return self._contact == "off"

    def _counters(self) -> StatusCounters:
        counted = self._reports.get("counters", {}) | {
            "received": self._received,
            "lost": self._lost,
            "restarts": self._restart_count,
            "lead_off_flickers": self._parts.pipeline.lead_off_flickers,
            "queued_max": self._queued_max,
            "published_latency_max_s": round(self._latency_max_s, 6),
        }
        return cast(StatusCounters, typed(StatusCounters, counted, "counters"))

    def _chip(self) -> ChipStatus | None:
        """Return how the chip is set up and its conditions, or why it could not be set up."""
        setup, error = self._reports.get("setup"), self._reports.get("error")
        if setup is None and error is None:
            return None
        said = {**self._reports.get("counters", {}), **(setup or {}), "error": error}
        if setup is None:
            said.pop("rate_hz", None)  # the measured one is a counter
        return cast(ChipStatus, typed(ChipStatus, said, "chip"))

    def _scheduling(self) -> Scheduling | None:
        got = self._reports.get("scheduling")
        return Scheduling(**got) if got else None

    @property
    def _contact(self) -> ContactState:
        return self._parts.pipeline.contact

    def _enrolment(self) -> EnrolmentStatus | None:
        enrolment = self._parts.pipeline.recogniser.enrolment
        if enrolment is None:
            return None
        return EnrolmentStatus(enrolment.person, enrolment.beats, enrolment.needed)

    def _say_goodbye(self) -> None:
        self._parts.notifier.stopping()
        if self._state != "ended":
            self._state = "stopping"
        self._say_status()
        self._parts.time.sleep(LAST_WORDS_S)


def _tuples(value: Any) -> Any:
    """Return a list, as JSON has it, as a tuple."""
    return tuple(value) if isinstance(value, list) else value


@contextmanager
def _stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` on SIGTERM and SIGINT."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
