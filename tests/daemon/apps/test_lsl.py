"""Streams of Lab Streaming Layer: what is in them, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf

try:
    import pylsl
except RuntimeError:
    pytest.skip("pylsl is without its library here", allow_module_level=True)

from config.lsl import LslOptions
from daemon.apps.lsl import LslBridge, LslClock, set_up
from daemon.wire.client import Item, Restarted
from daemon.wire.messages import Received, Stamp
from tests.daemon.apps.made_up_service import BEGIN, MV_PER_COUNT, RATE_HZ, Service, array
from tests.daemon.background import wait_for
from tests.daemon.xdf_recorder import XdfRecorder

BEGIN_LSL_S = 5000.0  # when sample 0 was taken, by LSL's clock


class Outlet:
    """Keeps what it is given."""

    def __init__(self, info: pylsl.StreamInfo) -> None:
        self.info = info
        self.samples: list[Any] = []
        self.stamps_s: list[float] = []

    def push_chunk(self, x: Any, timestamp: Any = 0.0) -> None:
        self.samples += list(x)
        self.stamps_s += timestamp

    def push_sample(self, x: Any, timestamp: float = 0.0) -> None:
        self.samples.append(x[0])
        self.stamps_s.append(timestamp)


class Clocks:
    """The computer's clock and LSL's, of which a test sets the first."""

    def __init__(self) -> None:
        self.since_s = 0.0  # since sample 0 was taken
        self.set_by_s = 0.0

    def lsl_s(self) -> float:
        return BEGIN_LSL_S + self.since_s

    def utc_s(self) -> float:
        return BEGIN.timestamp() + self.since_s + self.set_by_s

    def clock(self) -> LslClock:
        return LslClock(self.lsl_s, self.utc_s)


class Heard:
    """A bridge, and the streams that it opened."""

    def __init__(self, *, names: bool = False) -> None:
        self.clocks = Clocks()
        self.outlets: list[Outlet] = []
        self.bridge = LslBridge(LslOptions(names=names), "bench", self.clocks.clock(), self._open)

    def _open(self, info: pylsl.StreamInfo) -> Outlet:
        self.outlets.append(Outlet(info))
        return self.outlets[-1]

    def take(self, items: Iterable[Item]) -> Heard:
        for item in items:
            if isinstance(item, Received) and item.message.index is not None:
                self.clocks.since_s = (
                    item.message.index / RATE_HZ + 0.11
                )  # a chunk later, and a bit
            self.bridge.take(item)
        return self

    @property
    def markers(self) -> list[tuple[str, float]]:
        return list(zip(self.outlets[0].samples, self.outlets[0].stamps_s, strict=True))


def test_every_sample_is_streamed_in_mv_with_the_time_at_which_it_was_taken() -> None:
    heard = Heard().take(Service().waves(60))

    _, waves = heard.outlets
    assert np.array(waves.samples) == pytest.approx(array(0, 15_000) * MV_PER_COUNT, rel=1e-6)
    assert waves.stamps_s == pytest.approx(BEGIN_LSL_S + np.arange(15_000) / RATE_HZ, abs=1e-6)


def test_lost_samples_are_not_numbers_and_a_marker_says_how_many() -> None:
    service = Service()
    before = list(service.waves(1))
    service.index += 50
    heard = Heard().take([*before, *service.waves(1)])

    _, waves = heard.outlets
    lost = np.isnan(np.array(waves.samples)).all(axis=1)
    assert np.flatnonzero(lost).tolist() == list(range(250, 300))
    assert np.diff(waves.stamps_s) == pytest.approx(1 / RATE_HZ, abs=1e-6)
    assert heard.markers == [("lost 50 samples", pytest.approx(BEGIN_LSL_S + 1, abs=1e-6))]


def test_a_long_gap_is_told_and_not_filled() -> None:
    service = Service()
    before = list(service.waves(1))
    service.index += 60 * RATE_HZ
    heard = Heard().take([*before, *service.waves(1)])

    assert len(heard.outlets[1].samples) == 2 * RATE_HZ
    assert heard.markers[0][0] == "lost 15000 samples"


def test_a_restart_begins_anew_without_a_gap() -> None:
    heard = Heard().take([*Service().waves(1), Restarted("b"), *Service("b").waves(1)])

    assert len(heard.outlets[1].samples) == 2 * RATE_HZ
    assert [words for words, _ in heard.markers] == ["restarted"]


@pytest.mark.parametrize("names", [False, True])
def test_markers_say_what_happened_and_when(names: bool) -> None:
    service = Service()
    heard = Heard(names=names).take(
        [
            *service.waves(2),
            service.peak(300),
            service.beat(300, "noisy"),
            service.kind(300, "V"),
            service.accepts("Ada"),
            service.accepts("Ada"),
        ]
    )

    at_s = pytest.approx(BEGIN_LSL_S + 300 / RATE_HZ, abs=1e-6)
    who = "identity accepted Ada" if names else "identity accepted"
    assert heard.markers[:3] == [("R", at_s), ("flawed beat: noisy", at_s), ("beat V", at_s)]
    assert [words for words, _ in heard.markers[3:]] == [who]


@pytest.mark.parametrize("step_s", [3600.0, -3600.0, 0.5, -0.5])
def test_a_clock_that_is_set_moves_no_sample(step_s: float) -> None:
    heard, service = Heard(), Service()
    before = list(service.waves(30))
    worn = list(service.waves(30))  # utc is as before while somebody wears the electrodes
    followed = [
        replace(item, stamp=replace(item.stamp, utc=item.stamp.utc + timedelta(seconds=step_s)))
        for item in service.waves(30)
        if isinstance(item, Received)
    ]

    heard.take(before)
    heard.clocks.set_by_s = step_s
    heard.take(worn).take(followed)

    expected = BEGIN_LSL_S + np.arange(22_500) / RATE_HZ
    assert heard.outlets[1].stamps_s == pytest.approx(expected, abs=1e-3)


def test_a_clock_that_runs_a_little_fast_is_followed() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    for number in range(10_000):
        taken_s = number / 10
        clocks.since_s = taken_s + 0.1
        clocks.set_by_s = 1e-4 * taken_s  # as when NTP slews
        utc = BEGIN + timedelta(seconds=taken_s + clocks.set_by_s)
        moved_s = clock.moved(Stamp("bench", "a", number, utc, "simulated"))

    assert moved_s == pytest.approx(BEGIN_LSL_S + 999.9, abs=1e-3)


@pytest.fixture
def inlets() -> Iterator[tuple[LslBridge, list[pylsl.StreamInlet]]]:
    """Make real streams on this machine, and connect to them."""
    set_up(LslOptions())
    bridge = LslBridge(LslOptions(), f"test-{id(object())}")
    for item in Service().waves(0.1):
        bridge.take(item)
    bridge.take(Restarted("b"))
    names = [f"qrsd-{bridge.device}-{kind}" for kind in ("ecg", "markers")]
    found = [pylsl.resolve_byprop("source_id", name, 1, 20)[0] for name in names]
    opened = [pylsl.StreamInlet(info, max_buflen=900) for info in found]
    for inlet in opened:
        inlet.open_stream(20)
    try:
        yield bridge, opened
    finally:
        for inlet in opened:
            inlet.close_stream()


@pytest.mark.servers
def test_a_recorder_gets_ten_minutes_whole_and_in_order(
    tmp_path: Path, inlets: tuple[LslBridge, list[pylsl.StreamInlet]]
) -> None:
    bridge, opened = inlets
    service = Service()
    path = tmp_path / "lab.xdf"
    written = 0
    with closing(XdfRecorder(path, opened)) as recorder:
        for minute in range(10):
            for item in service.waves(60):
                bridge.take(item)
            bridge.take(service.peak(service.index - 100))
            expected = (minute + 1) * (60 * RATE_HZ + 1)

            def all_written() -> bool:
                nonlocal written
                written += recorder.step()
                return written >= expected  # noqa: B023

            wait_for(all_written)

    streams, _ = pyxdf.load_xdf(str(path), synchronize_clocks=False, dejitter_timestamps=False)
    waves, markers = sorted(streams, key=lambda each: each["info"]["type"][0])
    assert waves["time_series"] == pytest.approx(array(0, 150_000) * MV_PER_COUNT, rel=1e-6)
    assert np.diff(waves["time_stamps"]) == pytest.approx(1 / RATE_HZ, abs=2e-3)
    channels = waves["info"]["desc"][0]["channels"][0]["channel"]
    assert [(each["label"], each["unit"], each["type"]) for each in channels] == [
        (["respiration"], ["millivolts"], ["Resp"]),
        (["ECG"], ["millivolts"], ["ECG"]),
    ]
    assert [each[0] for each in markers["time_series"]] == ["R"] * 10
