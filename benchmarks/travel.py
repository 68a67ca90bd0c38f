"""Scores that travel: a cohort of two devices, thresholds from people of the second, and a table.

    python -m benchmarks.travel CINC2017 [--other svdb mitdb] [--write]

CINC2017 is a folder of .npz files with the PhysioNet/CinC Challenge 2017's records: ``names``,
``labels``, ``lengths`` and ``codes`` (300 Hz, 1000 a mV, one record after the other). Each record
of a regular or otherwise usable rhythm (N or O) stands for one person, its halves for two sittings;
records that are upside down are left out. The people are split at random into the cohort's 60,
those who set thresholds and those who are tested. ``--write`` puts cohort and calibration into the
passport of the model that comes with qrsd. OTHER are folders of WFDB records of half an hour, at
60 Hz mains: a minute of each is enrolled, and one a quarter of an hour later is the probe.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.records import TrainingRecord, gather_beats
from daemon.offline.hearing import Heard, hear_recording
from daemon.recordings.recording import Recording, read_recording
from daemon.recordings.resampling import to_250_hz
from dsp.front_end import RATE_HZ
from model.network import Network
from model.opening import DEFAULT_MODEL, open_network
from model.passport import Calibration, Cohort, Passport
from model.tensor import normalise
from model.training.datasets import Beats
from model.training.metrics import mean_bootstrap
from model.training.searches import FPIR, Halves, best_scores, calibrate_searches, halve

COHORT = 60
SEED = 1  # of who is in the cohort, sets thresholds or is tested
TEST_SEED = 3  # of the galleries in the table
TESTED = (1, 2, 4, 5, 6, 10, 20)
BEATS = 10
MAINS_HZ = 60
MINUTE = int(60 * RATE_HZ)
LATER = 15 * MINUTE


def main() -> None:
    """Calibrate, print the table and perhaps write the passport."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cinc2017", type=Path)
    parser.add_argument("--other", nargs="*", type=Path, default=[])
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    network = open_network(None)
    people = _halve(_hear(_cinc2017(args.cinc2017)), network, by_record=False)
    tests = {
        folder.name: _halve(_hear(_minutes(folder)), network, by_record=True)
        for folder in args.other
    }
    with TemporaryDirectory() as aside:
        folder = DEFAULT_MODEL.parent if args.write else Path(aside)
        passport, tested = calibrate_passport(network.passport, people, folder)
        passport.save(folder / DEFAULT_MODEL.name)
    print_table(passport, {"cinc2017": tested, **tests})


def calibrate_passport(passport: Passport, people: Halves, folder: Path) -> tuple[Passport, Halves]:
    """Write a cohort of both devices; return the passport with new thresholds, and whom to test.

    The cohort's first rows, one for each person of the training, stay.
    """
    assert passport.cohort is not None
    of_training = passport.cohort.embeddings[: len(passport.training["persons"])]
    order = np.random.default_rng(SEED).permutation(len(people.templates)).tolist()
    setting, tested = np.array_split(order[COHORT:], 2)
    both = np.concatenate([of_training, people.templates[order[:COHORT]]])
    cohort = Cohort.write(folder / passport.cohort.file, both)
    calibration = calibrate_searches(people.part(setting.tolist()), both, SEED)
    return replace(passport, cohort=cohort, calibration=calibration), people.part(tested.tolist())


def print_table(passport: Passport, devices: dict[str, Halves]) -> None:
    """Print the strangers accepted and the enrolled recognised, by device and number enrolled."""
    assert passport.cohort is not None
    print("| device | persons | enrolled | strangers accepted % | enrolled recognised % |")
    print("| --- | --- | --- | --- | --- |")
    for device, people in devices.items():
        for enrolled in TESTED:
            cells = _row(people, passport.cohort.embeddings, passport.calibration, enrolled)
            print(f"| {device} | {len(people.probes)} | {enrolled} | {' | '.join(cells)} |")


def _row(
    people: Halves, cohort: NDArray[np.float32], calibration: Calibration, enrolled: int
) -> list[str]:
    strangers, mated, stranger_of, mated_of = best_scores(
        people, cohort, enrolled, BEATS, TEST_SEED
    )
    threshold = calibration.search_threshold(BEATS, enrolled, FPIR)
    cells = []
    for scores, persons in ((strangers, stranger_of), (mated, mated_of)):
        passed = (scores >= threshold).astype(np.float64)
        low, high = mean_bootstrap(passed, persons)
        cells.append(f"{100 * passed.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})")
    return cells


def _halve(beats: Beats, network: Network, by_record: bool) -> Halves:
    embeddings = network.run(normalise(beats.windows_mv))
    return halve(beats, embeddings, by_record, any_side_up=by_record)


def _hear(recordings: Iterator[tuple[str, Recording]]) -> Beats:
    records: list[TrainingRecord] = []
    heard: list[Heard] = []
    for person, recording in recordings:
        records.append(TrainingRecord(person, recording.path, day=""))
        heard.append(hear_recording(recording, MAINS_HZ))
    return gather_beats(records, heard)


def _cinc2017(folder: Path) -> Iterator[tuple[str, Recording]]:
    for path in sorted(folder.glob("*.npz")):
        part = np.load(path, allow_pickle=False)
        signals = np.split(part["codes"], np.cumsum(part["lengths"])[:-1])
        for name, label, codes in zip(part["names"], part["labels"], signals, strict=True):
            if label in ("N", "O"):
                yield str(name), Recording(str(name), str(name), to_250_hz(codes / 1000, 300.0))


def _minutes(folder: Path) -> Iterator[tuple[str, Recording]]:
    for header in sorted(folder.glob("*.hea")):
        whole = read_recording(header)
        for begin in (0, LATER):
            path = f"{header.stem}/{begin}"
            minute = whole.ecg_mv[begin : begin + MINUTE]
            yield header.stem, Recording(path, path, minute)


if __name__ == "__main__":
    main()
