"""Each departure that can be taken back is one, and is put back afterwards."""

from __future__ import annotations

import pytest

from benchmarks.qrs.ablation import DEPARTURES, without
from benchmarks.qrs.chain import detect
from daemon.recordings.recording import Recording
from tests.dsp.heartbeats import RATE_HZ, ecg, regular


@pytest.mark.parametrize("name", DEPARTURES)
def test_a_departure_is_taken_back_and_restored(name: str) -> None:
    _, owner, values = DEPARTURES[name]

    def in_place() -> list[object]:
        return [getattr(owner, name) for name in values]

    ours, papers = in_place(), [*values.values()]
    assert values
    assert all(our != paper for our, paper in zip(ours, papers, strict=True))
    with without(DEPARTURES[name]):
        assert in_place() == papers
    assert in_place() == ours


@pytest.mark.parametrize("name", DEPARTURES)
def test_the_detector_still_finds_a_plain_heart(name: str) -> None:
    beats = regular(70, 20)
    recording = Recording("plain", "plain", ecg(beats, round(20 * RATE_HZ)))
    with without(DEPARTURES[name]):
        found = detect(recording, mains_hz=50).places
    assert len(found) >= len(beats) - 3
