"""A service on a simulated chip with faults, in virtual time, and everything that it said."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import zmq

from benchmarks.soak.virtual_time import VirtualAcquisition, VirtualTime
from daemon.acquisition.handle import Acquisition
from daemon.service.errors import AcquisitionFailed
from daemon.service.loop import Parts, Service
from daemon.service.people_commands import PeopleCommands
from daemon.service.pipeline import Pipeline
from daemon.service.sd_notify import Notifier
from daemon.service.utc_clock import UtcClock
from daemon.wire.control import ControlServer
from daemon.wire.messages import IdentityMessage, Message, StatusMessage
from daemon.wire.publisher import Publisher
from daemon.wire.status import ModelStatus
from drivers.chip_setup import ChipOptions
from drivers.simulator.options import SimulatorOptions
from drivers.waveforms.hearts import Heart
from drivers.waveforms.playlist import Playlist, play_heart
from dsp.front_end import RATE_HZ
from dsp.options import FrontEndOptions, LivenessOptions
from model.gallery import Gallery
from model.options import IdentifierOptions
from tests.daemon.frames import fake_network
from tests.model.models import embedder

HEART_S = 60.0
#: Counters that tell of nothing wrong by themselves, or of what others have told.
PLAIN_COUNTERS = {
    "frames",
    "received",
    "lost",
    "latency_max_s",
    "published_latency_max_s",
    "queued_max",
    "rate_hz",
    "unseen_edges",
    "repeated_frames",
    "reinitialisations",
}


@dataclass
class Observed:
    """What a service said, and when: seconds of virtual time."""

    said: list[tuple[float, Message, datetime]] = field(default_factory=list)
    warnings: list[tuple[float, str]] = field(default_factory=list)
    acquisitions: list[VirtualAcquisition] = field(default_factory=list)
    systemd: list[str] = field(default_factory=list)
    error: AcquisitionFailed | None = None

    @property
    def statuses(self) -> list[tuple[float, StatusMessage]]:
        return [(at_s, said) for at_s, said, _ in self.said if isinstance(said, StatusMessage)]

    @property
    def identities(self) -> list[IdentityMessage]:
        return [said for _, said, _ in self.said if isinstance(said, IdentityMessage)]

    @property
    def last(self) -> StatusMessage:
        return self.statuses[-1][1]

    def findings(self, status: StatusMessage) -> list[str]:
        """Return what a status says is wrong."""
        found = [f"state {status.state}"] if status.state == "recovering" else []
        found += ["contact off"] if status.contact == "off" else []
        found += ["re-initialised"] if status.counters.reinitialisations else []
        conditions = (status.chip and status.chip.conditions) or ()
        found += [condition.condition for condition in conditions]
        counters = asdict(status.counters).items()
        return found + [name for name, value in counters if value and name not in PLAIN_COUNTERS]

    def detected(self, begin_s: float) -> dict[str, float]:
        """Return all that was found wrong since a time and not before, and after how long."""
        ends = [life.error for life in self.acquisitions if life.error]
        found = {type(error).__name__: at_s for at_s, error in reversed(ends)}
        before: set[str] = set()
        for at_s, status in self.statuses:
            for name in self.findings(status):
                if at_s < begin_s:
                    before.add(name)
                else:
                    found.setdefault(name, at_s)
        return {name: at_s - begin_s for name, at_s in found.items() if name not in before}


class _Ears(Publisher):
    """Remembers what it publishes, and when."""

    def listen(self, time: VirtualTime, observed: Observed) -> None:
        self._time, self._observed = time, observed

    def publish(self, message: Message, utc: datetime) -> None:
        self._observed.said.append((self._time.monotonic(), message, utc))
        super().publish(message, utc)


class _Systemd(Notifier):
    """Remembers what it was told."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(None)
        self._told = told

    def _send(self, text: str) -> None:
        self._told.append(text)


class _Journal(logging.Handler):
    """Keeps the warnings that the service logs, and when."""

    def __init__(self, time: VirtualTime, warnings: list[tuple[float, str]]) -> None:
        super().__init__(logging.WARNING)
        self._time = time
        self._warnings = warnings

    def emit(self, record: logging.LogRecord) -> None:
        self._warnings.append((self._time.monotonic(), record.getMessage()))


class Scene:
    """A service in a folder, and all that a test may do to it.

    Attributes:
        time: its virtual time.
        calls: what is to be done besides, and when: (second, call), in any order.
        gallery: its enrolled people.
        desk: where they are enrolled.
        control: where it listens for commands.
        publisher: where it speaks.
        observed: what it said.
    """

    def __init__(self, folder: Path, stack: ExitStack, time: VirtualTime) -> None:
        self.time = time
        self.calls: list[tuple[float, Callable[[], object]]] = []
        time.on_turn = self._keep_appointments
        self.observed = Observed()
        self.context: zmq.Context[zmq.Socket[bytes]] = stack.enter_context(zmq.Context())
        self.gallery = stack.enter_context(Gallery(folder / "gallery.sqlite"))
        self.publisher = _Ears(self.context, [f"ipc://{folder}/messages"], "bench", "simulated")
        stack.callback(self.publisher.close)
        self.publisher.listen(time, self.observed)
        network = fake_network(embedder(folder))
        self._pipeline = Pipeline(
            network.as_network(),
            [],
            FrontEndOptions(),
            IdentifierOptions(min_beats=2),
            LivenessOptions("ignore"),  # what is played has no noise, which no living heart is
        )
        desk = PeopleCommands(
            self.gallery,
            network.passport,
            self._pipeline.recogniser,
            "simulated",
            lambda: "2027-01-15",
        )
        self.control = ControlServer(self.context, f"ipc://{folder}/control", desk.commands)
        stack.callback(self.control.close)
        self.desk = desk

    def run(
        self,
        *lives: Sequence[str],
        until_s: float = 13.0,
        chip: ChipOptions | None = None,
        dies_at_s: float | None = None,
    ) -> Observed:
        """Run the service until it is told to stop, or it gives up.

        Args:
            lives: the faults of the chip in the first life of the acquisition process, the second
                and so on; those of the last go for all that follow.
            until_s: when it is told to stop.
            chip: how the driver sets the chip up.
            dies_at_s: when the first acquisition process is killed.
        """
        chip = chip or ChipOptions()
        starts = self.observed.acquisitions

        def start() -> Acquisition:
            faults = tuple(lives[min(len(starts), len(lives) - 1)]) if lives else ()
            kill_s = None if starts else dies_at_s
            electrodes = Playlist([play_heart(_heart(), HEART_S)], repeat=True)
            simulator = SimulatorOptions(noise=0.0, faults=faults)
            starts.append(VirtualAcquisition(self.time, chip, simulator, electrodes, kill_s))
            return starts[-1]

        time = self.time.source()
        parts = Parts(
            start_acquisition=start,
            pipeline=self._pipeline,
            people=self.desk,
            publisher=self.publisher,
            control=self.control,
            clock=UtcClock(RATE_HZ, time.monotonic, time.wall),
            notifier=_Systemd(self.observed.systemd),
            time=time,
            model=ModelStatus("whose-heart", "embedder", "", "none", people_sealed=False),
        )
        self.calls.append((until_s, lambda: signal.raise_signal(signal.SIGTERM)))
        journal = _Journal(self.time, self.observed.warnings)
        logger = logging.getLogger("daemon")
        logger.addHandler(journal)
        try:
            Service(parts).run()
        except AcquisitionFailed as failure:
            self.observed.error = failure
        finally:
            logger.removeHandler(journal)
        return self.observed

    def _keep_appointments(self) -> None:
        now_s = self.time.monotonic()
        due = [call for at_s, call in self.calls if at_s <= now_s]
        self.calls = [(at_s, call) for at_s, call in self.calls if at_s > now_s]
        for call in due:
            call()


@contextmanager
def scene(folder: Path, steps: Sequence[tuple[float, float]] = ()) -> Iterator[Scene]:
    """Give a service in a folder; ``steps`` are those of the wall clock."""
    with ExitStack() as stack:
        yield Scene(folder, stack, VirtualTime(steps))


@cache
def _heart() -> Heart:
    return Heart(1)
