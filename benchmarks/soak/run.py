"""A soak: the whole service for hours of virtual time, on a chip that keeps failing."""

from __future__ import annotations

import math
import os
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from benchmarks.soak.figures import Counts, Figures
from benchmarks.soak.listener import BeatTimes, Listener
from benchmarks.soak.machine import Taken, Tracer, taken
from benchmarks.soak.plan import HEARTS, LIFE_S, Life, Play, lives
from benchmarks.soak.virtual_time import EPOCH_S, START_S, VirtualAcquisition, VirtualTime
from config.folders import control_address
from config.settings import PublishOptions, Settings
from daemon.service.assembly import assembled
from daemon.wire.messages import BeatMessage, IdentityMessage, Received, StatusMessage
from drivers.chip_setup import ChipOptions
from drivers.frame import Frame
from dsp.front_end import RATE_HZ

LOOKS = 200  # at the machine
ENROL_AFTER_S = 10.0
ASK_EVERY_S = 600.0
ENROLLED = f"heart {HEARTS[0]}"


class _Chip(VirtualAcquisition):
    """An acquisition that remembers which of its samples came through the pipe."""

    def __init__(self, time: VirtualTime, life: Life, play: Play) -> None:
        self.opened_s = time.monotonic() + START_S
        self.stretch = 1 + life.simulator.clock_error_ppm / 1e6
        self.first_s: float | None = None
        self.last_s = 0.0
        self.read = 0
        dies_at_s = self.opened_s + life.seconds
        super().__init__(time, ChipOptions(), life.simulator, play, dies_at_s)

    def read_frames(self) -> list[Frame]:
        frames = super().read_frames()
        if frames:
            self.first_s = frames[0].time_s if self.first_s is None else self.first_s
            self.last_s = frames[-1].time_s
            self.read += len(frames)
        return frames


@dataclass(slots=True)
class _Ledger:
    """How many samples the chips have made, by the times of the first and the last that came."""

    produced: float = 0.0
    read: int = 0
    starts: int = 0
    _ended_s: float | None = None

    def close(self, chip: _Chip, starts: int) -> None:
        """Take the account of a chip that is gone."""
        self.read += chip.read
        self.starts += 1 + starts
        if chip.first_s is None:
            return
        if self._ended_s is not None:
            self.produced += (chip.first_s - self._ended_s) * RATE_HZ - 1
        self.produced += (chip.last_s - chip.first_s) * RATE_HZ / chip.stretch + 1
        self._ended_s = chip.last_s


class Soak:
    """One soak, to be run once.

    Args:
        hours: how long, in virtual time.
        speed: at most so many times as fast as the wall clock; None for no bound.
        seed: of what goes wrong.
        tell: called now and then with the hours that are over.
        life_s: how long an acquisition process lives, at the least and at the most.
    """

    def __init__(
        self,
        hours: float,
        speed: float | None,
        seed: int,
        tell: Callable[[float], None],
        life_s: tuple[float, float] = LIFE_S,
    ) -> None:
        self._hours = hours
        self._speed = speed
        self._seed = seed
        self._tell = tell
        self._time = VirtualTime()
        self._play = Play(self._converting_s)
        self._lives = lives(seed, life_s)
        self._chips: deque[_Chip] = deque(maxlen=2)
        self._ledger = _Ledger()
        self._beat_times = BeatTimes()
        self._accepted = {True: 0, False: 0}
        self._tracer = Tracer(hours)
        self._looks: list[Taken] = []
        self._look_due_h, self._ask_due_s = 0.0, ENROL_AFTER_S
        self._status: StatusMessage | None = None

    def run(self, folder: Path) -> Figures:
        """Run it, with the service's files in a folder."""
        address = f"ipc://{folder}/messages.ipc"
        settings = Settings(source="simulated", publish=PublishOptions((address,)))
        self._began_s = time.monotonic()
        with ExitStack() as stack:
            own = dict.fromkeys(("STATE_DIRECTORY", "RUNTIME_DIRECTORY"), str(folder))
            stack.enter_context(patch.dict(os.environ, own))
            self._listener = stack.enter_context(Listener(address, control_address()))
            self._time.on_turn = self._turn
            # The last words go through real sockets, and so need real time.
            source = replace(self._time.source(), sleep=time.sleep)
            service = stack.enter_context(assembled(settings, self._start, source))
            service.run()
            self._receive()
        self._close_books()
        self._tracer.end()
        return self._figures()

    def _start(self) -> VirtualAcquisition:
        self._close_books()
        self._chips.append(_Chip(self._time, next(self._lives), self._play))
        return self._chips[-1]

    def _converting_s(self) -> float:
        """Return when the conversion is that looks at the electrodes."""
        chip = self._chips[-1]
        return chip.opened_s + chip.world.chip.next_s

    def _close_books(self) -> None:
        """Take the account of the chip that is gone, if there was one."""
        if self._chips:
            starts = self._status.counters.reinitialisations if self._status else 0
            self._ledger.close(self._chips[-1], starts)

    # What happens besides, whenever the service has waited

    def _turn(self) -> None:
        now_s = self._time.monotonic()
        self._receive()
        if now_s >= self._ask_due_s:
            self._ask()
            self._ask_due_s = now_s + ASK_EVERY_S
        hours = now_s / 3600
        if hours >= self._look_due_h:
            self._look_due_h += self._hours / LOOKS
            self._looks.append(taken(hours))
            self._tracer.look(hours)
            self._tell(min(hours, self._hours))
        if hours >= self._hours:
            signal.raise_signal(signal.SIGTERM)
        if self._speed is not None:
            time.sleep(max(now_s / self._speed - (time.monotonic() - self._began_s), 0.0))

    def _ask(self) -> None:
        """Enrol whoever wears the electrodes at the beginning; later ask who is enrolled."""
        if self._listener.asked:
            self._listener.ask("people")
        else:
            self._listener.ask("enroll", person=ENROLLED)

    def _receive(self) -> None:
        for received in self._listener.take():
            match received.message:
                case StatusMessage() as status:
                    self._status = status
                case IdentityMessage(state="accepted"):
                    beat = self._play.nearest(self._taken_s(received))
                    self._accepted[beat is not None and beat.wearer == ENROLLED] += 1
                case BeatMessage(index=index, r_index=r_index):
                    r_s = self._taken_s(received) - (index - r_index) / RATE_HZ
                    beat = self._play.nearest(r_s)
                    self._beat_times.add(r_s / 3600, r_s - beat.time_s if beat else math.inf)

    def _taken_s(self, received: Received) -> float:
        """Return when the sample of a message was taken, by its stamp, in virtual time."""
        return received.stamp.utc.timestamp() - EPOCH_S

    def _figures(self) -> Figures:
        assert self._status is not None
        counters, listener, ledger = self._status.counters, self._listener, self._ledger
        counts = Counts(
            produced=ledger.produced,
            read=ledger.read,
            received=counters.received,
            lost=counters.lost,
            starts=ledger.starts,
            messages_lost=listener.lost,
            asked=listener.asked,
            answered=listener.answers[True],
            accepted=self._accepted[True],
            mistaken=self._accepted[False],
        )
        return Figures(
            round(self._time.monotonic() / 3600, 4),  # fewer than asked for if it was told to stop
            time.monotonic() - self._began_s,
            self._seed,
            counts,
            self._beat_times,
            self._looks,
            self._tracer.grown_kib,
            self._tracer.where,
        )
