"""Noise: as large as asked for, of the right frequencies, and the same every time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import periodogram

from benchmarks.qrs import peers
from benchmarks.qrs.noises import KINDS, add_noise, make_noise, stretch
from benchmarks.qrs.records import ReferenceRecord
from benchmarks.qrs.stress import SNRS_DB
from daemon.__main__ import main
from daemon.offline.scoring import Scope
from daemon.recordings.recording import Recording
from dsp.front_end import RATE_HZ

MINUTE = round(60 * RATE_HZ)
MADE_UP = tuple(name for name, kind in KINDS.items() if kind.recorded is None)


def pulses(*sizes_mv: float) -> ReferenceRecord:
    """A heart whose QRS complexes are single samples, one a second, on an electrode offset."""
    beats = np.arange(100, 100 + 250 * len(sizes_mv), 250)
    ecg_mv = np.full(beats[-1] + 250, 100.0)
    ecg_mv[beats] += sizes_mv
    return ReferenceRecord(Recording("made up", "", ecg_mv), beats, Scope(0, len(ecg_mv)))


@pytest.mark.parametrize("kind", MADE_UP)
@pytest.mark.parametrize("snr_db", SNRS_DB)
def test_the_ratio_is_a_sines_power_of_the_size_of_the_qrs_over_that_of_the_noise(
    kind: str, snr_db: int
) -> None:
    clean = pulses(*[2.0] * 30)
    noise = 5 + make_noise(kind, "one", len(clean.recording.ecg_mv), None)
    added = add_noise(clean, noise, snr_db).recording.ecg_mv - clean.recording.ecg_mv
    sine_of_2_mv = np.sin(np.linspace(0, 2 * np.pi, 1000, endpoint=False))
    assert 10 * np.log10(sine_of_2_mv.var() / added.var()) == pytest.approx(snr_db)
    assert added.mean() == pytest.approx(0, abs=1e-12)


def test_the_largest_and_the_smallest_twentieth_of_the_complexes_do_not_count() -> None:
    noise = make_noise("white", "one", 100 + 250 * 20, None)
    added = [
        add_noise(heart, noise, 0).recording.ecg_mv - heart.recording.ecg_mv
        for heart in (pulses(*[1.0] * 20), pulses(*[1.0] * 18, 40.0, 0.1))
    ]
    np.testing.assert_allclose(added[0], added[1], atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "lowest_hz", "highest_hz"),
    [
        ("mains50", 50, 50),
        ("mains60", 60, 60),
        ("wander", 0.05, 0.5),
        ("white", 0, 125),
        ("emg", 20, 100),
    ],
)
def test_noise_has_the_frequencies_that_its_title_says(
    kind: str, lowest_hz: float, highest_hz: float
) -> None:
    noise = make_noise(kind, "one", 4 * MINUTE, None)
    frequencies_hz, power = periodogram(noise, RATE_HZ)
    part = power / power.sum()
    inside = (frequencies_hz > lowest_hz - 0.01) & (frequencies_hz < highest_hz + 0.01)
    assert part[inside].sum() == pytest.approx(1, abs=1e-9)
    if kind in ("white", "emg"):  # flat: each quarter of the band holds a quarter of the power
        quarters = [quarter.sum() for quarter in np.array_split(part[inside], 4)]
        np.testing.assert_allclose(quarters, 0.25, atol=0.02)


def test_each_record_and_kind_has_its_own_noise_and_always_the_same() -> None:
    def noises(records: str, kinds: tuple[str, ...]) -> dict[str, bytes]:
        return {
            record + kind: make_noise(kind, record, 1000, None).tobytes()
            for record in records
            for kind in kinds
        }

    forwards = noises("abc", MADE_UP)
    assert noises("cba", MADE_UP[::-1]) == forwards
    assert len(set(forwards.values())) == len(forwards)


def test_recorded_noise_is_played_from_somewhere_on_and_over_again() -> None:
    recorded = np.arange(10.0)
    played = stretch(np.random.default_rng(1), 25, recorded)
    assert len(played) == 25
    assert set((np.diff(played) % 10).tolist()) == {1}
    starts = {stretch(np.random.default_rng(seed), 1, recorded)[0] for seed in range(40)}
    assert len(starts) > 5


def benchmark(*options: str | Path) -> int:
    arguments = ("benchmark", "noise", "--from", "5", "--minutes", "0.5", "--jobs", "1", *options)
    return main([str(argument) for argument in arguments])


def test_a_record_loses_its_beats_in_muscle_noise_and_not_in_hum(
    shared_data: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    db, nstdb = shared_data("mitdb"), shared_data("nstdb")
    options = ("--records", "101", "--kinds", "mains50", "ma")
    assert benchmark("--db", db, "--noise", nstdb, *options, "--json", "-") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["plan"]["records"] == ["101"]
    hum, muscle = (
        [of_kind[str(snr_db)]["qrsd"]["f1_percent"] for snr_db in SNRS_DB]
        for of_kind in figures["gross"].values()
    )
    assert hum == [100, 100, 100]
    assert muscle[0] > 98
    assert muscle[2] < muscle[0]


def test_a_peer_that_gives_up_has_found_nothing(
    shared_data: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gives_up(ecg_mv: np.ndarray, mains_hz: int) -> np.ndarray:
        raise IndexError("no peak")

    monkeypatch.setattr(peers, "require_peers", lambda: None)
    monkeypatch.setattr(peers, "PEERS", {"fragile": gives_up})
    options = ("--db", shared_data("mitdb"), "--records", "122", "--kinds", "white", "--peers")
    assert benchmark(*options) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "fragile" in printed
    assert "0.00" in printed
    assert "Peers gave up 3 times" in printed


@pytest.mark.benchmark
def test_the_curves_are_drawn(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs pip install '.[benchmark]'")
    picture = tmp_path / "noise.png"
    options = ("--records", "101", "--kinds", "white", "emg", "--picture", picture)
    assert benchmark("--db", shared_data("mitdb"), *options) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--kinds", "ma"], "give the folder of PhysioNet's nstdb with --noise"),
        (["--kinds", "bw", "--noise", "/nowhere"], "/nowhere holds no record bw (.hea)"),
        (["--kinds", "white", "--records", "12"], "holds no record 12 with annotations (.atr)"),
        (["--kinds", "white", "--from", "9999"], "try --from 0"),
    ],
)
def test_what_is_missing_is_named_in_one_line(
    shared_data: Callable[[str], Path],
    options: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert benchmark("--db", shared_data("mitdb"), *options) == 66
    assert complaint in capsys.readouterr().err
