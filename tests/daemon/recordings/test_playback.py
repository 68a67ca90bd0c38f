"""A recording that is played on the simulated chip and recorded again is the same, bit for bit."""

from __future__ import annotations

from contextlib import closing
from dataclasses import astuple, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyrage
import pytest

from config.settings import RecordOptions
from daemon.acquisition.sources import open_source
from daemon.apps.record import Recorder
from daemon.commands.service import settings_of
from daemon.offline.analysis import listen
from daemon.offline.converting import convert
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.encryption import encrypt
from daemon.recordings.recorded import LOST, LOST_SAMPLES, Annotation
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from daemon.service.waveforms import Waveforms
from daemon.wire.messages import Received, Stamp, WaveMessage
from drivers.ads1292r import Ads1292r
from drivers.waveforms.hearts import Heart
from tests.daemon.apps.made_up_service import BEGIN
from tests.daemon.commands.command import parse
from tests.daemon.recordings.recordings import LAYOUT, RATE_HZ, noise, write_bdf

PLAY = ("run", "--simulated", "--signal", "ECG", "--play")
STAMP = Stamp("bench", "boot", 0, BEGIN, "simulated")


def codes_of(path: Path) -> np.ndarray:
    file = EdfFile(path, Reading())
    columns = [np.concatenate([codes for codes, _ in file.codes(n)]) for n in (0, 1)]
    return np.column_stack(columns)


def recorded(folder: Path, samples: int, *command: object) -> Path:
    """Play what a command line says as ``qrsd run`` would, and record what the driver reads."""
    settings = settings_of(parse(*command))
    waveforms = Waveforms(delay=0)
    with (
        closing(open_source(settings, paced=False).board) as board,
        Recorder(RecordOptions(free_mb=0), folder, str) as recorder,
    ):
        chip = Ads1292r(board, settings.chip)
        waveforms.use_setup(chip.power_up())
        with chip.stream() as frames:
            for frame in islice(frames, samples):
                for message in waveforms.flush_if_due(frame.index):
                    if isinstance(message, WaveMessage):
                        recorder.take(Received(STAMP, message))
                waveforms.push(frame.index, frame.counts, None, 0.0)
    return recorder.files[0]


def test_both_channels_are_recorded_again_bit_for_bit(tmp_path: Path) -> None:
    codes = noise(8 * RATE_HZ)
    write_bdf(tmp_path / "first.bdf", codes, [])
    play = (*PLAY, tmp_path / "first.bdf")
    again = codes_of(recorded(tmp_path / "again", 6 * RATE_HZ, *play))
    [begin] = np.flatnonzero((codes == again[0]).all(axis=1))  # the chip settles meanwhile
    assert begin < RATE_HZ
    assert len(again) > 5 * RATE_HZ
    assert np.array_equal(again, codes[begin : begin + len(again)])


def test_an_encrypted_recording_is_played_as_the_plain_one(tmp_path: Path) -> None:
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(str(key))
    codes = noise(4 * RATE_HZ)
    write_bdf(tmp_path / "one.bdf", codes, [])
    encrypt(tmp_path / "one.bdf", tmp_path / "one.bdf.age", [key.to_public()])
    identity = ("--identity", tmp_path / "key.txt")
    first = recorded(tmp_path / "1", 3 * RATE_HZ, *PLAY, tmp_path / "one.bdf")
    again = recorded(tmp_path / "2", 3 * RATE_HZ, *PLAY, tmp_path / "one.bdf.age", *identity)
    assert np.array_equal(codes_of(first), codes_of(again))


@pytest.fixture(scope="module")
def heart_in_noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of ours, which is there as BDF, WFDB and table."""
    path = tmp_path_factory.mktemp("formats") / "one.bdf"
    heart, random = Heart(4), np.random.default_rng(1)
    steps_mv = [signal.mv_per_code for signal in LAYOUT.signals]
    pure_mv = np.column_stack([heart.respiration_mv, heart.ecg_mv])[: 30 * RATE_HZ]
    codes = np.rint((pure_mv + random.normal(0, 0.03, pure_mv.shape)) / steps_mv).astype(np.int32)
    codes[2500:2600] = LOST
    write_bdf(path, codes, [Annotation(2500, LOST_SAMPLES, 100)])
    for suffix in (".hea", ".csv"):
        convert(str(path), path.with_suffix(suffix), 50)
    return path


@pytest.mark.parametrize("suffix", [".hea", ".csv"])
def test_the_chain_makes_the_same_of_all_our_formats(heart_in_noise: Path, suffix: str) -> None:
    heard = [
        listen(OpenRecording(str(heart_in_noise.with_suffix(each)), None), 50, waves=True).heard
        for each in (".bdf", suffix)
    ]
    assert len(heard[0].r_indices) > 20
    assert np.array_equal(heard[0].gaps, [[2500, 2600]])
    for name in ("r_indices", "r_mv", "after_break", "beat_indices", "good", "gaps"):
        assert np.array_equal(getattr(heard[0], name), getattr(heard[1], name))
    assert heard[0].flaws == heard[1].flaws
    for strips in zip(heard[0].strips, heard[1].strips, strict=True):
        ours, other = (astuple(replace(each, waves=None)) for each in strips)  # type: ignore[arg-type]
        assert other == pytest.approx(ours)  # WFDB tells millivolts by division


@pytest.mark.parametrize("suffix", [".hea", ".csv"])
def test_all_our_formats_are_played_alike(
    tmp_path: Path, heart_in_noise: Path, suffix: str
) -> None:
    of_bdf, of_other = (
        codes_of(recorded(tmp_path / each, 12 * RATE_HZ, *PLAY, heart_in_noise.with_suffix(each)))
        for each in (".bdf", suffix)
    )
    assert np.array_equal(of_bdf, of_other)
