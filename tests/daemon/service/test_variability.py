"""Every ten seconds, of the last five minutes of the same wearer, and only what was measured."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from daemon.service.variability import EVERY_SAMPLES, VariabilityJudge
from daemon.wire.messages import Breathing, HrvMessage, WaveFlags, WaveMessage
from dsp.hrv import hrv
from dsp.rr_correction import RrSeries
from dsp.signals import HANDOVER_SAMPLES, Interruption, RPeak, Sample

NOTHING = Breathing(None, None)
CHUNK = 25


def peaks(seconds: float) -> list[RPeak]:
    """Return the beats of a heart that breathes fifteen times a minute, from its second beat on."""
    t_s, beats, before = 0.5, [], None
    while t_s < seconds:
        index = round(t_s * 250)
        r_mv = 1 + 0.1 * np.sin(2 * np.pi * 0.25 * t_s)
        beats.append(RPeak(index, r_mv, None if before is None else (index - before) / 250, False))
        before, t_s = index, t_s + 0.8 + 0.04 * np.sin(2 * np.pi * 0.25 * t_s)
    return beats


def run(judge: VariabilityJudge, seconds: int, beats: list[RPeak]) -> list[HrvMessage]:
    """Let time pass, with each beat told 200 ms after its R."""
    said, waiting = [], list(beats)
    for index in range(seconds * 250):
        while waiting and waiting[0].index + 50 <= index:
            judge.push(waiting.pop(0), index)
        said += judge.tick(Sample(index, 0.0, None))
    return [message for message in said if isinstance(message, HrvMessage)]


def hear_chest(judge: VariabilityJudge, seconds: int, channel: str) -> None:
    """Let channel 1 rise and fall ten times a minute."""
    for index in range(0, seconds * 250, CHUNK):
        counts = tuple(
            (round(1e5 * np.sin(2 * np.pi * i / 1500)), 0) for i in range(index, index + CHUNK)
        )
        flags = WaveFlags((), ((), ()), ())
        judge.hear_chest(WaveMessage(index, 250.0, (1e-5, 1e-5), (channel, "ecg"), flags, counts))


def test_the_first_figures_import_nothing_more_while_samples_wait() -> None:
    program = (
        "import sys;"
        "from daemon.service.variability import VariabilityJudge, import_scipy;"
        "from tests.daemon.service.test_variability import hear_chest, peaks, run;"
        "import_scipy();"
        "before = set(sys.modules);"
        "judge = VariabilityJudge();"
        "hear_chest(judge, 60, 'respiration');"
        "assert run(judge, 301, peaks(301))[-1].lf_ms2;"
        "print(*sorted(each for each in set(sys.modules) - before if 'scipy' in each))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_it_speaks_each_ten_seconds_of_the_last_five_minutes() -> None:
    said = run(VariabilityJudge(), 351, peaks(351))
    assert [message.index for message in said] == list(range(2500, 351 * 250, EVERY_SAMPLES))
    assert said[0].reason == "too_short"
    assert said[0].rmssd_ms is None
    assert said[0].mean_rr_ms == pytest.approx(800, rel=0.02)
    last = said[-1]
    r_s = np.array([peak.index for peak in peaks(350 - 0.2)]) / 250
    r_s = r_s[r_s >= 50]
    expected = hrv(RrSeries.of_beats(r_s, np.zeros(len(r_s), dtype=bool)))
    assert (last.intervals, last.reason) == (len(r_s) - 1, None)
    assert last.rmssd_ms == expected.rmssd_ms
    assert last.hf_ms2 == expected.hf_ms2 == pytest.approx(800, rel=0.06)  # 40^2 / 2
    assert last.r_amplitude.rate_per_min == pytest.approx(15, abs=0.3)
    assert last.rsa.rate_per_min == pytest.approx(15, abs=0.3)


@pytest.mark.parametrize(
    ("interruption", "begins_anew"),
    [
        (Interruption(30_000, "lead_off", 0), True),
        (Interruption(30_000, "gap", HANDOVER_SAMPLES), True),
        (Interruption(30_000, "gap", 1), False),
    ],
)
def test_another_wearer_begins_anew(interruption: Interruption, begins_anew: bool) -> None:
    judge = VariabilityJudge()
    run(judge, 120, peaks(120))
    hear_chest(judge, 130, "respiration")
    judge.push(interruption, interruption.index)
    [message] = judge.tick(Sample(32_500, 0.0, None))
    assert isinstance(message, HrvMessage)
    assert (message.mean_rr_ms is None) == begins_anew
    assert (message.impedance == NOTHING) == begins_anew


def test_a_beat_that_is_found_late_takes_its_place() -> None:
    beats = peaks(100)
    late = [*beats[:50], beats[51], beats[50], *beats[52:]]
    in_order, out_of_order = VariabilityJudge(), VariabilityJudge()
    for judge, each in ((in_order, beats), (out_of_order, late)):
        for peak in each:
            judge.push(peak, peak.index)
        judge.tick(Sample(0, 0.0, None))
    sample = Sample(100 * 250, 0.0, None)
    assert in_order.tick(sample) == out_of_order.tick(sample)


@pytest.mark.parametrize(("channel", "rate"), [("respiration", 10), ("off", None)])
def test_channel_1_tells_of_the_chest_if_it_records_it(channel: str, rate: float | None) -> None:
    judge = VariabilityJudge()
    hear_chest(judge, 90, channel)
    judge.tick(Sample(0, 0.0, None))
    [message] = judge.tick(Sample(90 * 250, 0.0, None))
    assert isinstance(message, HrvMessage)
    assert message.impedance.rate_per_min == (
        None if rate is None else pytest.approx(rate, abs=0.3)
    )
    assert message.respiration == message.impedance
