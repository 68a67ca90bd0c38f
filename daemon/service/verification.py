"""The command ``verify``: compares two recordings that a client sends.

The service goes on with its own heart meanwhile. A comparison takes seconds on a small board, so it
has a thread and a network to itself, and its answer is sent when it is there.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import NoneType
from typing import Any

import numpy as np

from daemon.closing import Closing
from daemon.recordings.recording import Recording
from daemon.recordings.replay import samples
from daemon.wire.errors import CommandRefused
from dsp.front_end import RATE_HZ, FrontEnd
from dsp.options import FrontEndOptions
from dsp.signals import BeatWindow
from model.comparison import Verdict, compare
from model.network import Network

LONGEST_S = 60.0


class Verifier(Closing):
    """Compares recordings one after another, in a thread that has the network to itself."""

    def __init__(self, network: Network, mains_hz: int) -> None:
        self._network = network
        self._mains_hz = mains_hz
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="verify")
        self._under_way: Future[Verdict] | None = None

    def verify(self, first_mv: Any, second_mv: Any) -> Future[Verdict]:
        """Begin to compare two recordings, and promise the verdict.

        Args:
            first_mv: list of samples at 250 Hz in mV at the electrodes, None where none was taken.
                Checked in the thread: looking at so many numbers one by one takes a while.
            second_mv: the other recording, likewise.

        Raises:
            CommandRefused: another comparison is under way; later, in the thread: a recording is
                no list of numbers, or too long, or the model cannot compare.
        """
        if self._under_way is not None and not self._under_way.done():
            raise CommandRefused(
                "Two recordings are being compared: ask again after the answer.", "busy"
            )
        self._under_way = self._worker.submit(self._compare, first_mv, second_mv)
        return self._under_way

    def _compare(self, first_mv: Any, second_mv: Any) -> Verdict:
        first = self._beats(first_mv, "first_mv")
        second = self._beats(second_mv, "second_mv")
        return compare(first, second, self._network)

    def _beats(self, ecg_mv: Any, name: str) -> list[BeatWindow]:
        front_end = FrontEnd(FrontEndOptions(self._mains_hz))
        return [
            event
            for sample in samples([recording(ecg_mv, name).ecg_mv])
            for event in front_end.push(sample)
            if isinstance(event, BeatWindow)
        ]

    def close(self) -> None:
        """End the thread, after the comparison that is under way."""
        self._worker.shutdown()


def recording(ecg_mv: Any, name: str) -> Recording:
    """Read a recording that came as JSON.

    Raises:
        CommandRefused: it is none; the message says why, by its name.
    """
    most = round(LONGEST_S * RATE_HZ)
    if not isinstance(ecg_mv, list):
        raise CommandRefused(f"verify.{name}: {ecg_mv!r:.40} is not a list of numbers.")
    if not 1 <= len(ecg_mv) <= most:
        raise CommandRefused(
            f"verify.{name}: {len(ecg_mv)} samples are not between 1 and {most}, "
            f"which are {LONGEST_S:g} s at {RATE_HZ:g} Hz."
        )
    strange = set(map(type, ecg_mv)) - {int, float, NoneType}
    if strange:
        raise CommandRefused(f"verify.{name}: a {strange.pop().__name__} is not a number or null.")
    try:
        return Recording(name, name, np.array(ecg_mv, dtype=np.float64))
    except OverflowError as error:
        raise CommandRefused(f"verify.{name}: a number is too large.") from error
