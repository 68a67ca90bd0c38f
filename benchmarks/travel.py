"""Scores that travel: strangers and the enrolled on other devices, at a model's own thresholds.

    python -m benchmarks.travel cinc2017 svdb mitdb [--models M.tflite ...]

Each record stands for one person. Of those of ``benchmarks.training.one_each``, whoever is tested
has trained no model and set no thresholds; the first half is enrolled and the second is the probe.
Of WFDB records of half an hour a minute is enrolled, and one a quarter of an hour later is the
probe. The mains are taken to be at 60 Hz.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.identity.devices import gather_tested
from benchmarks.report import stage_bars
from model.network import Network
from model.opening import DEFAULT_MODEL
from model.passport import Passport
from model.tensor import normalise
from model.training.metrics import mean_bootstrap
from model.training.searches import Halves, Searches, accepted, halve, search

TEST_SEED = 3  # of the galleries in the tables
TESTED = (1, 2, 4, 5, 6, 10, 20, 25)
BEATS = 10
BINS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)  # of the confidence
MAINS_HZ = 60


def main() -> None:
    """Print each model's tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", type=Path, default=[DEFAULT_MODEL])
    args = parser.parse_args()
    with stage_bars() as bars:
        beats = {folder.name: gather_tested(folder, bars, MAINS_HZ) for folder in args.data}
    for model in args.models:
        network = Network(model)
        devices = {
            name: halve(each, network.run(normalise(each.windows_mv)))
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
            passed = accepted(passport.calibration, found, enrolled, BEATS)
            strangers = _rate(passed, found, ~found.is_enrolled)
            known = _rate(passed & found.is_right, found, found.is_enrolled)
            print(f"| {device} | {len(people.names)} | {enrolled} | {strangers} | {known} |")
            said.setdefault(device, []).append(promises(passport, found, passed, enrolled))
    print("\n| device | said to be right | is right % | decisions % | Brier | ECE |")
    print("| --- | --- | --- | --- | --- | --- |")
    for device, parts in said.items():
        _print_reliability(device, *np.concatenate(parts, axis=1))
    familiar = passport.calibration.familiar
    print("\n| device | unfamiliar signal % |\n| --- | --- |")
    for device, people in devices.items():
        found = search(people, cohort, 1, BEATS, TEST_SEED)
        print(f"| {device} | {100 * (found.familiarity < familiar).mean():.1f} |")


def promises(
    passport: Passport, found: Searches, passed: NDArray[np.bool_], enrolled: int
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
    right = np.where(passed, found.is_right, ~found.is_right)
    share = found.is_enrolled.mean()
    weight = np.where(found.is_enrolled, 0.5 / share, 0.5 / (1 - share)) / len(same)
    return np.array([np.where(passed, same, 1 - same), right, weight])


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


if __name__ == "__main__":
    main()
