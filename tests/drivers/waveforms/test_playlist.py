"""A playlist shows the chip one person after another, with the electrodes off in between."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.waveforms import Contact, Electrodes
from drivers.waveforms.hearts import Heart
from drivers.waveforms.options import InterferenceOptions
from drivers.waveforms.playlist import (
    Playlist,
    electrodes_off,
    play_heart,
    play_recording,
)

OFF = Contact(0.0, 0.0, True)


def recording(name: str, ecg_mv: list[float]) -> tuple[str, NDArray[np.float64]]:
    return name, np.array(ecg_mv, dtype=np.float64)


RAMP = recording("ramp", list(range(500)))
FLAT = recording("flat", [7.0] * 250)


def test_at_250_hz_a_recording_comes_out_sample_for_sample() -> None:
    noise = recording("noise", np.random.default_rng(1).normal(size=100_000).tolist())
    electrodes: Electrodes = Playlist([play_recording(*noise)])
    heard = [electrodes.at(k / 250).ch2_mv for k in range(100_000)]
    assert heard == noise[1].tolist()


def test_at_another_rate_it_comes_out_on_the_lines_between_samples() -> None:
    electrodes = Playlist([play_recording(*RAMP)])
    heard = [electrodes.at(k / 1000).ch2_mv for k in range(1990)]
    np.testing.assert_allclose(heard, np.arange(1990) / 4)
    assert not electrodes.at(0.001).lead_off


def test_between_two_recordings_the_electrodes_can_be_off() -> None:
    electrodes = Playlist([play_recording(*RAMP), electrodes_off(3.0), play_recording(*FLAT)])
    assert electrodes.at(1.996) == Contact(0.0, 499.0, False)
    assert electrodes.at(2.0) == electrodes.at(4.996) == OFF
    assert electrodes.at(5.0) == Contact(0.0, 7.0, False)
    assert [electrodes.playing(at_s) for at_s in (0, 1.999, 2, 4.999, 5, 5.999)] == [
        "ramp",
        "ramp",
        "electrodes off",
        "electrodes off",
        "flat",
        "flat",
    ]


def test_after_the_end_nobody_wears_them_and_nothing_plays() -> None:
    electrodes = Playlist([play_recording(*FLAT)])
    assert electrodes.duration_s == 1
    assert electrodes.at(1.0) == OFF
    assert electrodes.playing(1.0) == ""


def test_repeated_it_begins_again_forever() -> None:
    electrodes = Playlist([play_recording(*RAMP), electrodes_off(1)], repeat=True)
    assert electrodes.duration_s is None
    assert electrodes.at(3000.4) == Contact(0.0, 100.0, False)
    assert electrodes.at(3002.4) == OFF
    assert electrodes.playing(3002.4) == "electrodes off"


def test_samples_that_were_not_recorded_are_an_electrode_off() -> None:
    electrodes = Playlist([play_recording(*recording("torn", [1.0, np.nan, 3.0]))])
    assert [electrodes.at(k / 250).lead_off for k in range(3)] == [False, True, False]
    assert electrodes.at(0.5 / 250) == Contact(0.0, 1.0, False)


def test_a_short_recording_goes_on_from_its_start_when_asked_for_longer() -> None:
    electrodes = Playlist([play_recording(*RAMP, seconds=5)])
    assert electrodes.at(4.4).ch2_mv == 100


def test_a_heart_plays_its_ecg_on_channel_2_and_its_breath_on_channel_1() -> None:
    heart = Heart(1)
    electrodes = Playlist([play_heart(heart, 2, from_s=3)])
    assert electrodes.playing(0) == "heart 1"
    assert electrodes.at(1.0) == Contact(heart.respiration_mv[1000], heart.ecg_mv[1000], False)


def test_interference_is_added_to_a_heart_and_to_nobody_else() -> None:
    heart = Heart(1)
    offset = InterferenceOptions(offset_mv=100.0)
    electrodes = Playlist(
        [play_heart(heart, 1, interference=offset), play_recording(*FLAT), electrodes_off(1)]
    )
    assert electrodes.at(0.5).ch2_mv == heart.ecg_mv[125] + 100
    assert electrodes.at(1.5) == Contact(0.0, 7.0, False)
    assert electrodes.at(2.5) == OFF


def test_a_recording_can_be_played_from_its_middle() -> None:
    segment = play_recording(*RAMP, from_s=1.5)
    assert segment.samples == 125
    assert segment.at(0).ch2_mv == 375
    with pytest.raises(ValueError, match=r"^from_s: 2 is not within the 2 s played"):
        play_recording(*RAMP, from_s=2)


def test_an_empty_playlist_or_segment_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^segments: "):
        Playlist([])
    with pytest.raises(ValueError, match=r"^samples: 0"):
        electrodes_off(0.001)
