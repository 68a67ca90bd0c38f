"""Scores that travel: strangers and the enrolled on other devices, at a model's own thresholds.

    python -m benchmarks.travel CINC2017 [--other svdb mitdb] [--models M.tflite ...]

CINC2017 is a folder as of ``benchmarks.training.one_each``. Each record stands for one person, its
halves for two sittings; those who are tested have trained no model and set no thresholds.
OTHER are folders of WFDB records of half an hour, at 60 Hz mains: a minute of each
is enrolled, and one a quarter of an hour later is the probe.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import stage_bars
from benchmarks.training.one_each import gather_one_each, hear_all
from daemon.recordings.recording import Recording, read_recording
from dsp.front_end import RATE_HZ
from model.identifier import UNFAMILIAR_FPIR
from model.network import Network
from model.opening import DEFAULT_MODEL
from model.options import IdentifierOptions
from model.passport import Passport
from model.tensor import normalise
from model.training.metrics import mean_bootstrap
from model.training.searches import Halves, Searches, halve, search

COHORT = 200
SEED = 1  # of the galleries that thresholds are set with
TEST_SEED = 3  # of the galleries in the tables
TESTED = (1, 2, 4, 5, 6, 10, 20, 25)
BEATS = 10
BINS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)  # of the confidence
MAINS_HZ = 60
MINUTE = int(60 * RATE_HZ)
LATER = 15 * MINUTE


def main() -> None:
    """Print each model's tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cinc2017", type=Path)
    parser.add_argument("--other", nargs="*", type=Path, default=[])
    parser.add_argument("--models", nargs="+", type=Path, default=[DEFAULT_MODEL])
    args = parser.parse_args()
    with stage_bars() as bars:
        beats = {"cinc2017": gather_one_each(args.cinc2017, bars, MAINS_HZ, "test")}
        beats |= {folder.name: hear_all(minutes(folder), MAINS_HZ, bars) for folder in args.other}
    for model in args.models:
        network = Network(model)
        devices = {
            name: halve(each, network.run(normalise(each.windows_mv)), name != "cinc2017")
            for name, each in beats.items()
        }
        print_tables(network.passport, devices)


def print_tables(passport: Passport, devices: dict[str, Halves]) -> None:
    """Print how often strangers are accepted and the enrolled recognised, and what is promised."""
    assert passport.cohort is not None
    cohort = passport.cohort.embeddings
    print(f"\n{passport.name}\n")
    print("| device | persons | enrolled | strangers accepted % | enrolled recognised % |")
    print("| --- | --- | --- | --- | --- |")
    said: dict[str, list[NDArray[np.float64]]] = {}
    for device, people in devices.items():
        for enrolled in (size for size in TESTED if size < len(people.names)):
            found = search(people, cohort, enrolled, BEATS, TEST_SEED)
            accepted = decide(passport, found, enrolled)
            strangers = _rate(accepted, found, ~found.is_enrolled)
            known = _rate(accepted & found.is_right, found, found.is_enrolled)
            print(f"| {device} | {len(people.names)} | {enrolled} | {strangers} | {known} |")
            said.setdefault(device, []).append(promises(passport, found, accepted, enrolled))
    print("\n| device | said to be right | is right % | decisions % | Brier | ECE |")
    print("| --- | --- | --- | --- | --- | --- |")
    for device, parts in said.items():
        _print_reliability(device, *np.concatenate(parts, axis=1))
    familiar = passport.calibration.familiar
    print("\n| device | unfamiliar signal % |\n| --- | --- |")
    for device, people in devices.items():
        found = search(people, cohort, 1, BEATS, TEST_SEED)
        print(f"| {device} | {100 * (found.familiarity < familiar).mean():.1f} |")


def decide(passport: Passport, found: Searches, enrolled: int) -> NDArray[np.bool_]:
    """Tell which probes the identifier accepts by its default settings."""
    fpir = IdentifierOptions().fpir
    calibration = passport.calibration
    usual, stricter = (
        calibration.search_threshold(BEATS, enrolled, rate)
        for rate in (fpir, fpir / UNFAMILIAR_FPIR)
    )
    needed = np.where(found.familiarity < calibration.familiar, stricter, usual)
    accepted: NDArray[np.bool_] = found.scores >= needed
    return accepted


def promises(
    passport: Passport, found: Searches, accepted: NDArray[np.bool_], enrolled: int
) -> NDArray[np.float64]:
    """Return each decision's confidence, whether it is right and its weight, shape (3, n).

    Strangers and the enrolled weigh the same.
    """
    same = np.array(
        [
            passport.calibration.search_probability(score, BEATS, enrolled)
            for score in found.scores.tolist()
        ]
    )
    right = np.where(accepted, found.is_right, ~found.is_right)
    share = found.is_enrolled.mean()
    weight = np.where(found.is_enrolled, 0.5 / share, 0.5 / (1 - share)) / len(same)
    return np.array([np.where(accepted, same, 1 - same), right, weight])


def _print_reliability(
    device: str,
    confidence: NDArray[np.float64],
    right: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> None:
    weight = weight / weight.sum()
    brier = weight @ (confidence - right) ** 2
    bins = np.digitize(confidence, BINS)
    parts = [(bins == number) for number in np.unique(bins)]
    ece = sum(abs(weight[part] @ (confidence - right)[part]) for part in parts)
    for part in parts:
        mean, true = (np.average(of[part], weights=weight[part]) for of in (confidence, right))
        share = 100 * weight[part].sum()
        print(
            f"| {device} | {mean:.3f} | {100 * true:.1f} | {share:.1f} | {brier:.3f} | {ece:.3f} |"
        )


def _rate(passed: NDArray[np.bool_], found: Searches, counted: NDArray[np.bool_]) -> str:
    """Return the part of some probes that passed, with its interval over persons, in percent."""
    values = passed[counted].astype(np.float64)
    low, high = mean_bootstrap(values, found.probe_of[counted])
    return f"{100 * values.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"


def minutes(folder: Path) -> list[Recording]:
    """Return two minutes, a quarter of an hour apart, of each record."""
    parts = []
    for header in sorted(folder.glob("*.hea")):
        whole = read_recording(header)
        for begin in (0, LATER):
            minute = whole.ecg_mv[begin : begin + MINUTE]
            parts.append(Recording(header.stem, f"{header.stem}/{begin}", minute))
    return parts


if __name__ == "__main__":
    main()
