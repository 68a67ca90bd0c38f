"""A changed beat needs a new version of the chain, lest a model meet beats it was not trained on.

If a hash here is no longer right although the beats were meant to stay, the change is at fault. If
they were meant to change, raise ``CHAIN_VERSION``, train the models that come with qrsd again, and
only then write the new hashes here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from daemon.offline.analysis import analyse
from drivers.waveforms.hearts import Heart
from dsp.front_end import CHAIN_VERSION, FrontEnd
from dsp.signals import BeatWindow, Event, Interruption, Sample
from model.errors import PassportMismatch
from model.opening import DEFAULT_MODEL
from model.passport import Passport

HELD_OUT = Path(__file__).parents[1] / "model" / "held_out.tflite"

RECORDS = ("Person_01/rec_1", "Person_40/rec_1")
#: By version. The second judges some beats otherwise; R peaks and windows are the first's.
SYNTHETIC = {2: "4f5751607917b103"}
RECORDED = {2: "c7528e51d66e938f"}


def beats_hash(events: Sequence[Event]) -> str:
    """Hash beats in steps of a nanovolt, which hides how each machine rounds its last bits."""
    digest = hashlib.sha256()
    for event in events:
        if isinstance(event, BeatWindow):
            rr_s = -1.0 if event.rr_s is None else event.rr_s
            numbers = np.array([*event.ecg_mv, rr_s, event.quality.score])
            digest.update(f"{event.r_index} {event.quality.flaws}".encode())
            digest.update(np.rint(numbers * 1e6).astype("<i8").tobytes())
        elif isinstance(event, Interruption):
            digest.update(f"{event.index} {event.reason} {event.lost}".encode())
    return digest.hexdigest()[:16]


def worn(seed: int) -> Iterator[Sample]:
    """Yield a minute of a heart with all that the chain has a rule for.

    Muscle noise for ten seconds, pacing pulses, a rail, bridged and longer gaps, an electrode off.
    """
    ecg_mv = Heart(seed).ecg_mv[: 60 * 250].copy()
    noise = np.random.default_rng(seed).integers(-1000, 1001, 2500) / 1000
    ecg_mv[2500:5000] += 0.6 * noise
    ecg_mv[5000:6500:190] += 8.0
    lost = {*range(7000, 7004), *range(7500, 7512), *range(8000, 8120), *range(9000, 9300)}
    for index, mv in enumerate(ecg_mv.tolist()):
        if index not in lost:
            lead_off = 11000 <= index < 11200
            yield Sample(index, mv, lead_off, 12500 <= index < 12530)


def test_the_beats_of_synthetic_hearts_are_this_versions() -> None:
    events: list[Event] = []
    for seed in range(1, 6):
        front_end = FrontEnd()
        events += [event for sample in worn(seed) for event in front_end.push(sample)]
    assert sum(isinstance(event, BeatWindow) for event in events) > 200
    assert beats_hash(events) == SYNTHETIC[CHAIN_VERSION]


def test_the_beats_of_recordings_are_this_versions(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("ecg-id")
    events = [event for record in RECORDS for event in analyse(str(folder / record)).events]
    assert beats_hash(events) == RECORDED[CHAIN_VERSION]


@pytest.mark.parametrize("model", [DEFAULT_MODEL, HELD_OUT], ids=lambda path: path.name)
def test_the_models_that_come_with_qrsd_are_of_this_version(model: Path) -> None:
    assert Passport.load(model).front_end["chain_version"] == CHAIN_VERSION


def test_a_model_of_another_version_or_of_none_is_refused() -> None:
    passport = Passport.load(DEFAULT_MODEL)
    with pytest.raises(PassportMismatch, match=f"chain_version is 0 here, {CHAIN_VERSION} in tr"):
        passport.check_front_end(FrontEnd.description() | {"chain_version": 0})
    none = {name: value for name, value in passport.front_end.items() if name != "chain_version"}
    with pytest.raises(PassportMismatch, match=f"chain_version is {CHAIN_VERSION} here, 'unknown'"):
        replace(passport, front_end=none).check_front_end(FrontEnd.description())
