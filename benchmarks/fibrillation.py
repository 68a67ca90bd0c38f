"""Fits the probability of atrial fibrillation to the CinC Challenge 2017, and tests it.

    python -m benchmarks.fibrillation cinc2017

Records of 9 to 61 s from a hand-held device, each of one person: regular (N) or in atrial
fibrillation (A). One of five people is tested with and not fitted to, by their record's name
(``model.training.datasets.purpose``); other rhythms (O) are in neither, and it is told how many of
them are called fibrillation. Intervals are those of qrsd's own R peaks. The line that is printed is
the one in ``dsp/fibrillation.py``.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize
from scipy.special import expit

from benchmarks.training.one_each import labelled
from daemon.offline.analysis import analyse_recording, side_by_side
from dsp.fibrillation import FEWEST, INTERCEPT, NAMES, SLOPES, Array, figures, judged
from dsp.front_end import RATE_HZ
from model.training.datasets import purpose

RIDGE = 1e-3
SPECIFICITY = 0.96


def gather(folder: Path) -> tuple[Array, NDArray[np.str_], NDArray[np.bool_]]:
    """Return each record's figures (n, 5) and label, and whether it is only tested with."""
    records = [each for each in labelled(folder) if each[1] in "NAO"]
    outcomes = side_by_side(partial(analyse_recording, mains_hz=60), [r for r, _ in records])
    rows, labels, is_tested = [], [], []
    for (recording, label), analysis in zip(
        records, track(outcomes, "Finding heartbeats", total=len(records)), strict=True
    ):
        judged_s = judged(np.diff([peak.index for peak in analysis.r_peaks]) / RATE_HZ)
        if len(judged_s) >= FEWEST:
            rows.append(figures(judged_s))
            labels.append(label)
            is_tested.append(purpose(recording.name) == "test")
    return np.array(rows), np.array(labels), np.array(is_tested)


def fit(rows: Array, is_af: NDArray[np.bool_]) -> tuple[Array, float]:
    """Fit the log-odds of fibrillation, as if both cases were as likely; slopes and intercept."""
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    scaled = (rows - centre) / spread
    weights = np.where(is_af, 0.5 / is_af.sum(), 0.5 / (~is_af).sum())

    def cost(line: Array) -> tuple[float, Array]:
        log_odds = scaled @ line[:-1] + line[-1]
        residual = weights * (expit(log_odds) - is_af)
        gradient = np.append(residual @ scaled + 2 * RIDGE * line[:-1], residual.sum())
        loss = weights @ (np.logaddexp(0, log_odds) - is_af * log_odds)
        return float(loss + RIDGE * line[:-1] @ line[:-1]), gradient

    line = minimize(cost, np.zeros(len(centre) + 1), jac=True).x
    slopes: Array = line[:-1] / spread
    return slopes, float(line[-1] - slopes @ centre)


def main() -> None:
    """Fit, and print the line and its figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of cinc2017")
    rows, labels, is_tested = gather(parser.parse_args().data)
    learnt = np.isin(labels, ["N", "A"]) & ~is_tested
    slopes, intercept = fit(rows[learnt], labels[learnt] == "A")
    print("SLOPES =", dict(zip(NAMES, slopes.round(3).tolist(), strict=True)))
    print("INTERCEPT =", round(intercept, 3))
    for what, line in (
        ("this line", (slopes, intercept)),
        ("dsp/fibrillation", (SLOPES, INTERCEPT)),
    ):
        log_odds = rows @ line[0] + line[1]
        limit = np.quantile(log_odds[learnt & (labels == "N")], SPECIFICITY)
        for name, chosen in (("fitted to", learnt), ("tested", is_tested)):
            print(what, name, told(log_odds, labels, chosen, limit))


def told(log_odds: Array, labels: NDArray[np.str_], chosen: NDArray[np.bool_], limit: float) -> str:
    """Say how well the two kinds are told apart."""
    found = [log_odds[chosen & (labels == label)] for label in "ANO"]
    better = (found[0][:, None] > found[1]).mean()
    said = f"A {len(found[0])}, N {len(found[1])}: AUC {better:.3f}"
    for at, where in ((0.0, "even odds"), (limit, f"specificity {SPECIFICITY}")):
        se, sp = (found[0] > at).mean(), (found[1] <= at).mean()
        said += f"; at {where} ({at:.2f}) Se {se:.3f}, Sp {sp:.3f}"
        if len(found[2]):
            said += f", of {len(found[2])} O {(found[2] > at).mean():.2f}"
    return said


if __name__ == "__main__":
    main()
