"""The commands that take seconds: ``verify``, ``identify`` and ``explain``.

The service goes on with its own heart meanwhile. What takes seconds on a small board has a thread
and a network to itself, and its answer is sent when it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.settings import Settings
from daemon.closing import Closing
from daemon.recordings.recording import Recording
from daemon.recordings.replay import chain_events
from daemon.wire.answers import Answer, ExplanationAnswer, RecordingIdentity
from daemon.wire.control import Command
from daemon.wire.errors import CommandRefused
from dsp.front_end import RATE_HZ
from dsp.signals import BeatWindow, Event
from model.comparison import compare
from model.explanation import TIME_MS, explain, whom
from model.identifier import Decision
from model.network import Network
from model.recogniser import Recogniser, embed_with
from model.template import Template
from model.tensor import normalise
from model.verdict import Verdict

LONGEST_S = 60.0


class SlowCommands(Closing):
    """Works on one request after another, in a thread that has the network to itself.

    Each public method but ``close`` is a command, as those of ``PeopleCommands`` are.

    Args:
        network: as the one that decides, but another.
        settings: by which the service decides.
        recogniser: the service's own, whose decision is explained.
        templates: returns those of the enrolled people.
    """

    def __init__(
        self,
        network: Network,
        settings: Settings,
        recogniser: Recogniser,
        templates: Callable[[], Sequence[Template]],
    ) -> None:
        self._network = network
        self._settings = settings
        self._recogniser = recogniser
        self._templates = templates
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="slow")
        self._under_way: Future[Any] | None = None

    @property
    def commands(self) -> dict[str, Command]:
        """The commands by their names in requests."""
        return {"verify": self.verify, "identify": self.identify, "explain": self.explain}

    def verify(self, first_mv: Any, second_mv: Any) -> Future[Any]:
        """Begin to compare two recordings, and promise the verdict.

        Args:
            first_mv: list of samples at 250 Hz in mV at the electrodes, None where none was taken.
                Checked in the thread: looking at so many numbers one by one takes a while.
            second_mv: the other recording, likewise.

        Raises:
            CommandRefused: the thread has something to do; later, in the thread: a recording is no
                list of numbers, or too long, or the model cannot compare.
        """
        return self._begin(partial(self._compare, first_mv, second_mv))

    def identify(self, ecg_mv: Any) -> Future[Any]:
        """Begin to find out whose a recording is, and promise the answer.

        Args:
            ecg_mv: as those of ``verify``.

        Raises:
            CommandRefused: as ``verify`` does.
        """
        return self._begin(partial(self._identify, ecg_mv, self._templates()))

    def explain(self) -> Future[Any]:
        """Begin to find out which parts of the beats the present decision rests on.

        Raises:
            CommandRefused: there is nothing to explain, or the thread has something to do.
        """
        beats, decision = tuple(self._recogniser.counted), self._recogniser.decision
        templates = self._templates()
        if not beats:
            raise CommandRefused("No decision counts a good beat just now.", "no_decision")
        if not templates and self._network.passport.cohort is not None:
            raise CommandRefused(
                "Nobody is enrolled, so the beats are compared with nobody.", "no_decision"
            )
        return self._begin(partial(self._explain, beats, decision, templates))

    def _begin(self, work: Callable[[], Answer]) -> Future[Any]:
        if self._under_way is not None and not self._under_way.done():
            raise CommandRefused(
                "Another recording or decision is being looked at: ask again after the answer.",
                "busy",
            )
        self._under_way = self._worker.submit(work)
        return self._under_way

    def _compare(self, first_mv: Any, second_mv: Any) -> Verdict:
        first, second = (
            [event for event in self._events(read.ecg_mv) if isinstance(event, BeatWindow)]
            for read in (
                recording(first_mv, "verify.first_mv"),
                recording(second_mv, "verify.second_mv"),
            )
        )
        return compare(first, second, self._network)

    def _identify(self, ecg_mv: Any, templates: Sequence[Template]) -> RecordingIdentity:
        """Decide as ``qrsd identify`` does, by the settings of the service."""
        read = recording(ecg_mv, "identify.ecg_mv")
        recogniser = Recogniser(
            self._network.passport,
            embed_with(self._network),
            templates,
            self._settings.identifier,
            self._settings.liveness,
            smoothed=True,
        )
        good = 0
        for event in self._events(read.ecg_mv):
            recogniser.push(event)
            good += isinstance(event, BeatWindow) and event.quality.good
        said = recogniser.try_inverted(self._events(-read.ecg_mv))
        return RecordingIdentity(
            said.state, said.person, said.confidence, said.beats, said.hint, good, read.duration_s
        )

    def _explain(
        self, beats: Sequence[BeatWindow], decision: Decision, templates: Sequence[Template]
    ) -> ExplanationAnswer:
        windows_mv = [beat.ecg_mv for beat in beats]
        windows = normalise(windows_mv)
        outputs = self._network.run(windows)
        person, score = whom(self._network.passport, templates, outputs, decision.person)
        found = explain(self._network.run, windows, [score] * len(windows))
        return ExplanationAnswer(
            decision.state,
            person,
            found.score,
            found.beats,
            tuple(np.mean(windows_mv, axis=0).tolist()),
            tuple(found.importance.tolist()),
            tuple((TIME_MS / 1000).tolist()),
        )

    def _events(self, ecg_mv: NDArray[np.float64]) -> Iterator[Event]:
        """Yield what the signal chain makes of a recording."""
        return chain_events([ecg_mv], self._settings.front_end.mains_hz)

    def close(self) -> None:
        """End the thread, after the work that is under way."""
        self._worker.shutdown()


def recording(ecg_mv: Any, name: str) -> Recording:
    """Read a recording that came as JSON.

    Raises:
        CommandRefused: it is none; the message says why, by its name.
    """
    most = round(LONGEST_S * RATE_HZ)
    if not isinstance(ecg_mv, list):
        raise CommandRefused(f"{name}: {ecg_mv!r:.40} is not a list of numbers.")
    if not 1 <= len(ecg_mv) <= most:
        raise CommandRefused(
            f"{name}: {len(ecg_mv)} samples are not between 1 and {most}, "
            f"which are {LONGEST_S:g} s at {RATE_HZ:g} Hz."
        )
    strange = set(map(type, ecg_mv)) - {int, float, NoneType}
    if strange:
        raise CommandRefused(f"{name}: a {strange.pop().__name__} is not a number or null.")
    try:
        return Recording(name, name, np.array(ecg_mv, dtype=np.float64))
    except OverflowError as error:
        raise CommandRefused(f"{name}: a number is too large.") from error
