"""Frames gathered into ``wave`` and ``ecg`` messages, both with the indices of the raw samples."""

from __future__ import annotations

from daemon.wire.messages import EcgMessage, Message, Range, WaveFlags, WaveMessage
from drivers.chip_setup import ChipSetup
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS

CHUNK_SAMPLES = 25  # a waveform message each tenth of a second
RAILS = (FULL_SCALE_COUNTS, MIN_COUNTS)


class Waveforms:
    """Gathers samples until they are a chunk, or the next one does not continue them.

    Args:
        delay: samples by which the conditioned ECG is later than the raw one.
    """

    def __init__(self, delay: int) -> None:
        self._delay = delay
        self._next: int | None = None  # index that continues what was pushed; None before
        self._run_index = 0  # of the first sample since the last gap
        self._index = 0  # of the chunk's first sample
        self.channels: tuple[str, str] | None = None
        self._clear()

    def _clear(self) -> None:
        self._counts: list[tuple[int, int]] = []
        self._ecg_mv: list[float] = []
        self._lead_off: list[Range] = []
        self._saturated: tuple[list[Range], list[Range]] = ([], [])
        self._lost: tuple[Range, ...] = ()

    def use_setup(self, setup: ChipSetup) -> None:
        """Take the frames that follow as those of a chip that is set up like this."""
        self._rate_hz = setup.rate_hz
        self._lead_off_known = setup.lead_off_known
        self._mv_per_count = setup.mv_per_count
        roles = ["off", "off"]
        if setup.respiration_channel is not None:
            roles[setup.respiration_channel - 1] = "respiration"
        roles[setup.ecg_channel - 1] = "ecg"
        self.channels = (roles[0], roles[1])

    def flush_if_due(self, index: int) -> list[Message]:
        """Return the messages that are ready before the sample of this index is pushed."""
        continues = index == self._next
        due = len(self._counts) == CHUNK_SAMPLES or not continues
        messages = self.flush() if due else []
        if not self._counts:
            self._index = index
        if not continues:
            self._run_index = index
            self._lost = () if self._next is None else ((self._next, index),)
        self._next = index + 1
        return messages

    def push(
        self, index: int, counts: tuple[int, int], lead_off: bool | None, conditioned_mv: float
    ) -> None:
        """Take a sample, and the conditioned one that came out of the filters with it."""
        self._counts.append(counts)
        if lead_off:
            _mark(self._lead_off, index)
        first, second = counts
        if first in RAILS:
            _mark(self._saturated[0], index)
        if second in RAILS:
            _mark(self._saturated[1], index)
        if index - self._delay >= self._run_index:
            self._ecg_mv.append(conditioned_mv)

    def flush(self) -> list[Message]:
        """Return the messages of what was gathered, none where there is nothing."""
        messages: list[Message] = []
        if self._counts and self.channels is not None:
            first, second = map(tuple, self._saturated)
            lead_off = tuple(self._lead_off) if self._lead_off_known else None
            flags = WaveFlags(lead_off, (first, second), self._lost)
            counts = tuple(self._counts)
            messages.append(
                WaveMessage(
                    self._index, self._rate_hz, self._mv_per_count, self.channels, flags, counts
                )
            )
        if self._ecg_mv:
            index = max(self._index - self._delay, self._run_index)
            messages.append(EcgMessage(index, self._rate_hz, tuple(self._ecg_mv)))
        self._clear()
        return messages


def _mark(ranges: list[Range], index: int) -> None:
    """Add an index to ranges in order, to the last one if it continues that."""
    if ranges and ranges[-1][1] == index:
        ranges[-1] = (ranges[-1][0], index + 1)
    else:
        ranges.append((index, index + 1))
