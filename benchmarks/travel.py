"""Scores that travel: strangers and the enrolled on other devices, at a model's own thresholds.

    python -m benchmarks.travel cinc2017 mitdb [--models M.tflite ...]

Each record stands for one person. Of those of ``benchmarks.training.one_each``, whoever is tested
has trained no model and set no thresholds; the first half is enrolled and the second is the probe.
Of WFDB records of half an hour a minute is enrolled, and one a quarter of an hour later is the
probe. The mains are taken to be at 60 Hz.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.identity.devices import BEATS, gather_tested
from benchmarks.report import markdown, stage_bars
from benchmarks.training.half_hours import learnt_whole
from model.error_rates import mean_bootstrap
from model.local_calibration import shifted
from model.network import Network
from model.opening import DEFAULT_MODEL
from model.options import IdentifierOptions
from model.passport import Passport
from model.strangers import Strangers
from model.template import MOST_BEATS, Template
from model.tensor import normalise
from model.training.searches import (
    Halves,
    Searches,
    accepted,
    draw_groups,
    halve,
    search,
    search_group,
)

TEST_SEED = 3  # of the galleries in the tables
TESTED = (1, 2, 4, 5, 6, 10, 20, 25)
BINS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)  # of the confidence
MAINS_HZ = 60
RATE_HEADINGS = (
    "device",
    "persons",
    "enrolled",
    "strangers accepted %",
    "enrolled recognised %",
)
CALIBRATED_HEADINGS = (
    *("device", "enrolled", "thresholds moved %"),
    *("strangers: before, after %", "enrolled: before, after %"),
)
PROMISE_HEADINGS = (
    "device",
    "said to be right",
    "is right %",
    "decisions %",
    "Brier",
    "ECE",
)


def main() -> None:
    """Print each model's tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", type=Path, default=[DEFAULT_MODEL])
    args = parser.parse_args()
    networks = list(map(Network, args.models))
    for network in networks:
        refuse_learnt(parser, args.data, network)
    with stage_bars() as bars:
        beats = {folder.name: gather_tested(folder, bars, MAINS_HZ) for folder in args.data}
    for network in networks:
        devices = {
            name: halve(each, network.run(normalise(each.windows_mv)))
            for name, each in beats.items()
        }
        print_tables(network.passport, devices)


def refuse_learnt(
    parser: argparse.ArgumentParser, folders: Sequence[Path], network: Network
) -> None:
    """End the command if a network has learned from everybody in one of the folders."""
    passport = network.passport
    for name in learnt_whole(folders, passport.training.get("data", ())):
        parser.error(f"{passport.name} has learned from all of {name}")


def print_tables(passport: Passport, devices: dict[str, Halves]) -> None:
    """Print how often strangers are accepted and the enrolled recognised, and what is promised."""
    assert passport.cohort is not None
    cohort = passport.cohort.embeddings
    rates, said, unfamiliar = [], [], []
    for device, people in devices.items():
        promised = []
        for enrolled in (size for size in TESTED if size < len(people.names)):
            found = search(people, cohort, enrolled, BEATS, TEST_SEED)
            passed = accepted(passport.calibration, found, enrolled, BEATS)
            strangers = rate(passed, found, ~found.is_enrolled)
            known = rate(passed & found.is_right, found, found.is_enrolled)
            rates.append([device, str(len(people.names)), str(enrolled), strangers, known])
            promised.append(promises(passport, found, passed, enrolled))
        said += [[device, *row] for row in reliability(*np.concatenate(promised, axis=1))]
        single = search(people, cohort, 1, BEATS, TEST_SEED)
        share = (single.familiarity < passport.calibration.familiar).mean()
        unfamiliar.append([device, f"{100 * share:.1f}"])
    print(f"\n{passport.name}\n")
    print(markdown(RATE_HEADINGS, rates), end="\n\n")
    print(markdown(PROMISE_HEADINGS, said), end="\n\n")
    print(markdown(["device", "unfamiliar signal %"], unfamiliar), end="\n\n")
    print(markdown(CALIBRATED_HEADINGS, _calibrated_rows(passport, devices)))


def _calibrated_rows(passport: Passport, devices: dict[str, Halves]) -> Iterator[list[str]]:
    """Yield what it is worth to have ``qrsd calibrate`` move the thresholds of each gallery."""
    for device, people in devices.items():
        for enrolled in (size for size in TESTED if 10 <= size < len(people.names)):
            groups = draw_groups(people, enrolled, TEST_SEED)
            rows = [_calibrated(passport, people, group) for group in groups]
            moved, *rates = 100 * np.mean(rows, axis=0)
            before, after, known, still = (f"{rate:.1f}" for rate in rates)
            yield [device, str(enrolled), f"{moved:.0f}", f"{before}, {after}", f"{known}, {still}"]


def _calibrated(passport: Passport, people: Halves, group: NDArray[np.intp]) -> list[float]:
    """Return whether thresholds move; strangers and enrolled accepted, each before and after."""
    assert passport.cohort is not None
    fpir = IdentifierOptions().fpir
    enrolled = [
        Template(people.names[at], people.templates[at], MOST_BEATS, "", "", "recording")
        for at in group
    ]
    shift = Strangers(enrolled, passport, fpir).shift
    found = search_group(people, people.probe(BEATS), passport.cohort.embeddings, group)
    calibrations = passport.calibration, shifted(passport.calibration, shift)
    passed = [accepted(each, found, len(group), BEATS) for each in calibrations]
    strangers = [float(each[~found.is_enrolled].mean()) for each in passed]
    known = [float((each & found.is_right)[found.is_enrolled].mean()) for each in passed]
    return [float(shift != 0), *strangers, *known]


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


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.float64], weight: NDArray[np.float64]
) -> list[list[str]]:
    """Return what is said and what is so, in bins of the confidence, with Brier score and ECE."""
    weight = weight / weight.sum()
    brier = weight @ (confidence - right) ** 2
    bins = np.digitize(confidence, BINS)
    parts = [(bins == number) for number in np.unique(bins)]
    ece = sum(abs(weight[part] @ (confidence - right)[part]) for part in parts)
    rows = []
    for part in parts:
        mean, true = (np.average(of[part], weights=weight[part]) for of in (confidence, right))
        share = weight[part].sum()
        rows.append([f"{mean:.3f}", f"{100 * true:.1f}", f"{100 * share:.1f}"])
    return [[*row, f"{brier:.3f}", f"{ece:.3f}"] for row in rows]


def rate(passed: NDArray[np.bool_], found: Searches, counted: NDArray[np.bool_]) -> str:
    """Return the part of some probes that passed, with its interval over persons, in percent."""
    values = passed[counted].astype(np.float64)
    low, high = mean_bootstrap(values, found.probe_of[counted])
    return f"{100 * values.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    main()
