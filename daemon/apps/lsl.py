"""Brings waveforms and beats to Lab Streaming Layer, stamped by its clock.

Two streams: ``qrsd DEVICE`` with both channels in mV, and ``qrsd DEVICE markers`` with words. Lost
samples are NaN, so that the stream goes on at its rate; a marker says how many they were.

A sample's stamp is that of its DRDY edge, as the service fitted it (``utc``), moved from the
computer's clock to LSL's. Streams of one recording are then in step with each other, whatever the
way took. Lab Streaming Layer has no keys: whoever reaches its ports can read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pylsl

from config.lsl import LslOptions
from daemon.journal import event
from daemon.wire.client import Item, Restarted
from daemon.wire.messages import (
    BeatKindMessage,
    BeatMessage,
    IdentityMessage,
    Received,
    RPeakMessage,
    Stamp,
    WaveMessage,
)
from dsp.front_end import RATE_HZ

TOPICS = tuple(
    kind.TOPIC
    for kind in (WaveMessage, RPeakMessage, BeatMessage, BeatKindMessage, IdentityMessage)
)
#: Longer gaps are not filled: the stream then goes on later.
LONGEST_GAP_S = 10.0
SLEW_S = 0.02  # a smaller change of the computer's clock is no step
SMOOTHING = 0.05  # share of a change that counts at once
BUFFERED_S = 60  # kept for a recorder that lags
KNOWN = {"ecg": ("ECG", "ECG"), "respiration": ("respiration", "Resp")}  # label and type

_LOG = logging.getLogger(__name__)


class Outlet(Protocol):
    """Where samples go, as pylsl has it."""

    def push_chunk(self, x: Any, timestamp: Any = 0.0) -> None:
        """Give it several samples."""

    def push_sample(self, x: Any, timestamp: float = 0.0) -> None:
        """Give it one sample."""


@dataclass(slots=True)
class LslClock:
    """Moves times of the computer's clock to LSL's, which nobody sets.

    If the computer's clock is set while somebody wears the electrodes, the service's ``utc`` goes
    on as before for a while. Of the relation before and the one of now, that one is then right by
    which the message took as long to come as messages usually do.
    """

    lsl_s: Callable[[], float] = pylsl.local_clock
    utc_s: Callable[[], float] = time.time
    offset_s: float | None = None  # from the service's utc to LSL's clock
    usual_way_s: float = 0.0

    def moved(self, stamp: Stamp) -> float:
        """Return when the sample of a message was taken, by LSL's clock."""
        utc_s, now_s = stamp.utc.timestamp(), self.lsl_s()
        offset_s = now_s - self.utc_s()
        if self.offset_s is None:
            self.offset_s = offset_s
            self.usual_way_s = now_s - utc_s - offset_s
        elif abs(offset_s - self.offset_s) < SLEW_S:  # a clock that is slewed, or a pause of ours
            self.offset_s += SMOOTHING * (offset_s - self.offset_s)
        else:
            before_s, after_s = (now_s - utc_s - each for each in (self.offset_s, offset_s))
            if abs(after_s - self.usual_way_s) < abs(before_s - self.usual_way_s):
                self.offset_s = offset_s
        self.usual_way_s += SMOOTHING * (now_s - utc_s - self.offset_s - self.usual_way_s)
        return utc_s + self.offset_s


class LslBridge:
    """Turns what a service says into streams.

    Args:
        options: the ``lsl`` section of the settings.
        device: name of the device.
        clock: moves times.
        outlet: opens a stream.
    """

    def __init__(
        self,
        options: LslOptions,
        device: str,
        clock: LslClock | None = None,
        outlet: Callable[[pylsl.StreamInfo], Outlet] | None = None,
    ) -> None:
        self._options = options
        self.device = device
        self._clock = clock or LslClock()
        self._open = outlet or (lambda info: pylsl.StreamOutlet(info, 0, BUFFERED_S))
        self._markers = self._open(self._described_markers())
        self._waves: Outlet | None = None
        self._layout: tuple[object, ...] = ()  # of the samples in the stream that is open
        self._rate_hz = RATE_HZ
        self._next: int | None = None  # index of the sample that comes next
        self._identity: tuple[str, str | None] | None = None

    def take(self, item: Item) -> None:
        """Take in what was heard next."""
        match item:
            case Restarted():
                self._next = None
                self._mark("restarted", pylsl.local_clock())
            case Received(stamp, WaveMessage() as wave):
                self._take_wave(stamp, wave)
            case Received(stamp, message):
                for words, index in self._words(message):
                    at_s = self._clock.moved(stamp)
                    self._mark(words, at_s + (index - (message.index or 0)) / self._rate_hz)

    def _words(self, message: object) -> Iterator[tuple[str, int]]:
        """Yield what a marker says, and at which sample."""
        match message:
            case RPeakMessage(index):
                yield "R", index
            case BeatMessage(r_index=r_index, flaws=flaws) if flaws:
                yield f"flawed beat: {', '.join(flaws)}", r_index
            case BeatKindMessage(r_index=r_index, kind=kind):
                yield f"beat {kind}", r_index
            case IdentityMessage(index, state, person):
                told = (state, person if self._options.names else None)
                if told != self._identity:
                    self._identity = told
                    yield " ".join(["identity", *filter(None, told)]), index

    def _take_wave(self, stamp: Stamp, wave: WaveMessage) -> None:
        layout = (wave.rate_hz, wave.channels, stamp.source)
        if layout != self._layout:  # at first, or the chip was set up otherwise
            self._layout, self._rate_hz, self._next = layout, wave.rate_hz, None
            self._waves = self._open(self._described_waves(wave, stamp))
            _LOG.info("streaming %s", " and ".join(wave.channels), extra=event("lsl_streaming"))
        samples_mv = np.array(wave.counts, float).reshape(-1, 2) * wave.mv_per_count
        begin_s = self._clock.moved(stamp)
        missing = wave.index - (self._next if self._next is not None else wave.index)
        if missing:
            self._mark(f"lost {missing} samples", begin_s - missing / wave.rate_hz)
        if 0 < missing <= LONGEST_GAP_S * wave.rate_hz:
            samples_mv = np.vstack([np.full((missing, 2), np.nan), samples_mv])
            begin_s -= missing / wave.rate_hz
        self._next = wave.index + len(wave.counts)
        stamps_s = begin_s + np.arange(len(samples_mv)) / wave.rate_hz
        assert self._waves is not None
        self._waves.push_chunk(samples_mv.astype(np.float32), stamps_s.tolist())

    def _mark(self, words: str, at_s: float) -> None:
        self._markers.push_sample([words], at_s)

    def _described_waves(self, wave: WaveMessage, stamp: Stamp) -> pylsl.StreamInfo:
        """Describe the samples, as XDF's specification has it for ECG."""
        info = pylsl.StreamInfo(
            f"qrsd {self.device}",
            "ECG",
            2,
            wave.rate_hz,
            pylsl.cf_float32,
            f"qrsd-{self.device}-ecg",
        )
        description = info.desc()
        acquisition = description.append_child("acquisition")
        acquisition.append_child_value("manufacturer", "qrsd")
        acquisition.append_child_value("model", "ADS1292R")
        acquisition.append_child_value("source", stamp.source)
        channels = description.append_child("channels")
        for name in wave.channels:
            label, kind = KNOWN.get(name, (name, "Misc"))
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", "millivolts")
            channel.append_child_value("type", kind)
        return info

    def _described_markers(self) -> pylsl.StreamInfo:
        return pylsl.StreamInfo(
            f"qrsd {self.device} markers",
            "Markers",
            1,
            pylsl.IRREGULAR_RATE,
            pylsl.cf_string,
            f"qrsd-{self.device}-markers",
        )


def set_up(options: LslOptions) -> None:
    """Give LSL's library its settings, before its first stream."""
    only_here: Sequence[str] = ("ListenAddress = 127.0.0.1",) if options.scope == "machine" else ()
    lines = ["[multicast]", f"ResolveScope = {options.scope}", *only_here, "[log]", "level = -2"]
    pylsl.set_config_content("\n".join([*lines, ""]))
