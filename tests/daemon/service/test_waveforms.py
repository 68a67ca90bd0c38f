"""``wave`` and ``ecg``: no chunk spans a gap, and all lie on one ruler."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.service.pipeline import Pipeline
from daemon.service.waveforms import CHUNK_SAMPLES
from daemon.wire.messages import (
    BeatMessage,
    EcgMessage,
    Message,
    RPeakMessage,
    WaveFlags,
    WaveMessage,
)
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS, Frame
from dsp.contact import ON_SAMPLES
from dsp.front_end import FrontEnd
from dsp.signals import Sample
from tests.daemon.frames import (
    ELECTRODE_OFF,
    MV_PER_COUNT,
    SETUP,
    STATUS,
    beating,
    fake_network,
)
from tests.daemon.service.pipelines import only, pipeline_of, push


def test_waveforms_come_in_chunks_of_a_tenth_of_a_second(pipeline: Pipeline) -> None:
    frames = beating(2.0)
    waves = only(WaveMessage, push(pipeline, frames))
    assert [wave.index for wave in waves] == list(range(0, 475, CHUNK_SAMPLES))
    assert [counts for wave in waves for counts in wave.counts] == [
        frame.counts for frame in frames[:475]
    ]
    first = waves[0]
    assert first.rate_hz == 250.0
    assert first.channels == ("respiration", "ecg")
    assert first.mv_per_count == pytest.approx((2420 / (4 * 8388607), 2420 / (6 * 8388607)))


@given(runs=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 5)), min_size=1, max_size=6))
def test_no_chunk_spans_a_gap(model: Path, runs: list[tuple[int, int]]) -> None:
    pipeline = pipeline_of(fake_network(model).as_network())
    index, frames = 0, []
    for length, gap in runs:
        frames += [Frame(index + i, 0.0, STATUS, (index + i, 0)) for i in range(length)]
        index += length + gap
    waves = only(WaveMessage, push(pipeline, frames))
    told = [counts[0] for wave in waves for counts in wave.counts]
    assert told == [frame.index for frame in frames][: len(told)]
    assert len(frames) - len(told) <= CHUNK_SAMPLES  # what is still being gathered
    for wave in waves:
        assert [counts[0] for counts in wave.counts] == list(
            range(wave.index, wave.index + len(wave.counts))
        )


def test_the_conditioned_ecg_is_the_front_ends(pipeline: Pipeline) -> None:
    frames = beating(3.0)
    messages = push(pipeline, frames)
    front_end, expected = FrontEnd(), []
    for frame in frames:
        mv = frame.counts[1] * MV_PER_COUNT
        front_end.push(Sample(frame.index, mv, lead_off=False))
        expected.append(front_end.conditioned_mv)
    told = ecg_of(messages)
    assert list(told.values()) == expected[front_end.delay :][: len(told)]


def ecg_of(messages: Iterable[Message]) -> dict[int, float]:
    """Return the conditioned ECG by the index of its samples, each of which comes once."""
    pairs = [
        pair for ecg in only(EcgMessage, messages) for pair in enumerate(ecg.ecg_mv, ecg.index)
    ]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def counts_of(messages: Iterable[Message]) -> dict[int, tuple[int, int]]:
    waves = only(WaveMessage, messages)
    return dict(pair for wave in waves for pair in enumerate(wave.counts, wave.index))


def test_wave_ecg_peaks_and_beats_lie_on_one_ruler(pipeline: Pipeline) -> None:
    messages = push(pipeline, beating(20.0))
    ecg_mv, raw = ecg_of(messages), counts_of(messages)
    peaks = only(RPeakMessage, messages)
    assert [ecg_mv[peak.index] for peak in peaks] == [peak.amplitude_mv for peak in peaks]
    assert {beat.r_index for beat in only(BeatMessage, messages)} <= {p.index for p in peaks}
    steady = np.array(sorted(set(ecg_mv) & set(raw))[500:-10])
    filtered = [ecg_mv[index] for index in steady]

    def likeness(lag: int) -> float:
        return float(np.corrcoef(filtered, [raw[index + lag][1] for index in steady])[0, 1])

    # The filters delay no two frequencies alike: a QRS by 1.7 samples, which the chain calls 2.
    assert abs(max(range(-8, 9), key=likeness)) <= 1
    assert likeness(0) > 0.95 > max(likeness(-2), likeness(2))


def test_nothing_is_measured_while_an_electrode_is_off(pipeline: Pipeline) -> None:
    frames = beating(1.0) + beating(1.0, first=250, status=ELECTRODE_OFF)
    ecg_mv = ecg_of(push(pipeline, frames + beating(1.0, first=500)))
    off = {index for index, mv in ecg_mv.items() if np.isnan(mv)}
    assert list(ecg_mv) == list(range(len(ecg_mv)))
    assert set(range(250, 500)) <= off <= set(range(248, 500 + ON_SAMPLES + 1))


def test_the_wave_flags_what_is_not_as_it_should_be(pipeline: Pipeline) -> None:
    frames = beating(0.12) + beating(0.04, first=35, status=ELECTRODE_OFF) + beating(1, first=45)
    frames[3] = frames[3]._replace(counts=(0, MIN_COUNTS))
    frames[4] = frames[4]._replace(counts=(FULL_SCALE_COUNTS, FULL_SCALE_COUNTS))
    first, _, third, *_ = only(WaveMessage, push(pipeline, frames))
    assert first.flags == WaveFlags((), (((4, 5),), ((3, 5),)), ())
    assert third.flags == WaveFlags(((35, 45),), ((), ()), ((30, 35),))


def test_lead_off_is_not_flagged_where_it_is_not_known(pipeline: Pipeline) -> None:
    pipeline.use_setup(replace(SETUP, lead_off_known=False))
    [wave] = only(WaveMessage, push(pipeline, beating(0.104, status=ELECTRODE_OFF)))
    assert wave.flags.lead_off is None


def test_channels_say_what_they_record(pipeline: Pipeline) -> None:
    pipeline.use_setup(replace(SETUP, ecg_channel=1, respiration_channel=None))
    [wave] = only(WaveMessage, push(pipeline, beating(0.104)))
    assert wave.channels == ("ecg", "off")
