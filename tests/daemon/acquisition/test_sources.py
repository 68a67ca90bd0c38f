"""The settings' play becomes electrodes on a board, heart after recording after pause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from config.errors import SettingInvalid
from config.source import PlayOptions, SimulatedOptions, SourceOptions
from daemon.acquisition.sources import HEART_S, open_source, play
from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from drivers.errors import PackageMissing
from drivers.waveforms.hearts import Heart
from drivers.waveforms.options import InterferenceOptions

RATE_HZ = 250
SILENCE = InterferenceOptions(offset_mv=0, mains_mv=0, wander_mv=0, muscle_mv=0)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Four seconds that count their samples, as a table of raw codes."""
    path = tmp_path / "walk" / "steps.csv"
    path.parent.mkdir()
    rows = [f"{4 * row}, {1000 * row}" for row in range(4 * RATE_HZ)]
    path.write_text("\n".join(["timestamp, Channel 1", *rows]))
    return path


def simulated(*entries: PlayOptions, repeat: bool = False) -> SimulatedOptions:
    return SimulatedOptions(entries, repeat=repeat, noise=SILENCE)


def test_entries_are_played_one_after_another(record: Path) -> None:
    electrodes = play(
        simulated(
            PlayOptions(heart=1, seconds=2.0),
            PlayOptions(pause=1.0),
            PlayOptions(record=str(record)),
        )
    )
    assert electrodes.duration_s == 7.0
    assert [electrodes.playing(at_s) for at_s in (1.9, 2.5, 6.9, 7.0)] == [
        "heart 1",
        "electrodes off",
        "walk/steps",
        "",
    ]
    assert electrodes.at(2.5).lead_off
    assert not electrodes.at(3.5).lead_off


def test_a_heart_plays_its_own_curve_from_the_second_that_was_asked_for() -> None:
    electrodes = play(simulated(PlayOptions(heart=2, seconds=2.0, from_s=3.0)))
    played = [electrodes.at(sample / RATE_HZ).ch2_mv for sample in range(2 * RATE_HZ)]
    np.testing.assert_allclose(played, Heart(2).ecg_mv[3 * RATE_HZ : 5 * RATE_HZ])


def test_a_heart_plays_for_a_minute_and_a_recording_to_its_end(record: Path) -> None:
    assert play(simulated(PlayOptions(heart=1))).duration_s == HEART_S == 60.0
    assert play(simulated(PlayOptions(record=str(record), from_s=1.0))).duration_s == 3.0


def test_a_play_that_repeats_has_no_end() -> None:
    electrodes = play(simulated(PlayOptions(heart=1, seconds=2.0), repeat=True))
    assert electrodes.duration_s is None
    assert electrodes.playing(1000.0) == "heart 1"


def test_a_recording_that_has_ended_by_then_is_a_setting_that_does_not_fit(record: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"simulated\.play: .*steps\.csv: from_s: 9 is not"):
        play(simulated(PlayOptions(record=str(record), from_s=9.0)))


def test_a_recording_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFound):
        play(simulated(PlayOptions(record=str(tmp_path / "none"))))
    (tmp_path / "bad.csv").write_text("timestamp, Channel 1\n0, heart\n")
    with pytest.raises(MalformedRecording):
        play(simulated(PlayOptions(record=str(tmp_path / "bad.csv"))))


@pytest.mark.parametrize("paced", [False, True])
def test_a_simulated_board_says_so(paced: bool) -> None:
    options = SourceOptions("simulated", simulated=simulated(PlayOptions(heart=1)))
    source = open_source(options, paced=paced)
    with closing(source.board):
        assert source.board.simulated
        assert source.electrodes is not None


@pytest.fixture
def _no_spidev(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "spidev", None)
        yield


@pytest.mark.usefixtures("_no_spidev")
def test_the_chip_is_never_replaced_by_the_simulator() -> None:
    with pytest.raises(PackageMissing):
        open_source(SourceOptions("chip"))


def test_a_recording_is_played_with_its_respiration(tmp_path: Path) -> None:
    rows = (f"{row / 250:.3f},{row / 1000:.4f},{-row / 1000:.4f}" for row in range(500))
    path = tmp_path / "session.csv"
    path.write_text("\n".join(["time,resp_mV,ecg_mV", *rows]))
    entry = PlayOptions(record=path, signal="ecg_mV", from_s=1.0)
    contact = play(SimulatedOptions(play=(entry,))).at(0.2)
    assert (contact.ch1_mv, contact.ch2_mv) == pytest.approx((0.3, -0.3))
