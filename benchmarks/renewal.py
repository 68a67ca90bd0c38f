"""What it costs to turn templates by a secret, and what a template of another secret is worth.

Everybody is enrolled by their first recording and probed with ten beats of each later one, through
the service's signal chain and the model's network. Each score is taken as it is, turned by one
secret, and with a template that was turned by another secret than the probe and the cohort, as one
that was stolen before a renewal. To link is to tell from the two templates alone that two galleries
hold the same person.

Source: ISO/IEC 24745:2022 (renewability, unlinkability), ISO/IEC 30136:2018 (how to measure them).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from rich.table import Table
from scipy.stats import ks_2samp

from benchmarks.training.records import analyse_people
from daemon.offline.analysis import Analysis
from daemon.offline.errors import TooFewBeats
from daemon.tables import filled
from model.comparison import good_beats
from model.enrolment import keep_nearest
from model.error_rates import Trials, equal_error_rate
from model.errors import EmbedderNeeded
from model.network import Network
from model.rotation import Rotation
from model.scores import corrected_cosine, cosine, mean_direction

PROBE_BEATS = 10
FEWEST_BEATS = 5
SECRETS = 50

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Mean embeddings, of one enrolment a person and of any number of probes."""

    templates: Vectors  # shape (persons, d)
    probes: Vectors  # shape (probes, d)
    probe_of: NDArray[np.int64]  # number of each probe's person, shape (probes,)
    cohort: Vectors  # the strangers that scores are compared with, shape (n, d)


def measure(
    data: Sequence[Path], network: Network, bars: Progress, mains_hz: int, jobs: int
) -> dict[str, Any]:
    """Analyse everybody's recordings in the order of their days, enrol, probe and measure."""
    if network.passport.cohort is None:
        raise EmbedderNeeded(f"model {network.passport.name!r} has no templates: give an embedder")
    persons: dict[str, list[Analysis]] = {}
    for record, analysis in zip(
        *analyse_people(data, bars, mains_hz=mains_hz, jobs=jobs), strict=True
    ):
        persons.setdefault(record.person, []).append(analysis)
    return figures(gather(persons.values(), network))


def table(measured: dict[str, Any]) -> Table:
    """Return the figures for the terminal."""
    rows = [("not turned", f"{measured['eer']:.2f}")] + [
        (title, "{mean:.2f} ({low:.2f} to {high:.2f})".format_map(measured[name]))
        for title, name in (
            ("turned", "eer_turned"),
            ("template of another secret", "eer_with_template_of_another_secret"),
            ("linking two galleries", "eer_of_linking_two_galleries"),
        )
    ]
    return filled(
        "{persons} people, {probes} probes, {secrets} pairs of secrets".format_map(measured),
        ("", "EER % (range of 95 % of the secrets)"),
        rows,
        f"turning changes scores by {measured['largest_difference_of_a_score']:.1e}; linking: "
        f"Kolmogorov-Smirnov p {measured['linking_kolmogorov_smirnov_p']}",
    )


def gather(persons: Iterable[list[Analysis]], network: Network) -> Sessions:
    """Enrol each person by their first recording, and take the others for probes.

    Recordings with fewer than five good beats are left out, and people with one recording.
    """
    assert network.passport.cohort is not None  # a classifier has no templates
    templates: list[Vectors] = []
    probes: list[Vectors] = []
    probe_of: list[int] = []
    for recordings in persons:
        good = (good_beats(analysis.beats) for analysis in recordings)
        sessions = [network.run(beats) for beats in good if len(beats) >= FEWEST_BEATS]
        if len(sessions) < 2:
            continue
        for session in sessions[1:]:
            probes.append(mean_direction(session[:PROBE_BEATS]))
            probe_of.append(len(templates))
        templates.append(mean_direction(keep_nearest(sessions[0])))
    if len(templates) < 2:
        raise TooFewBeats("two people or more are needed, with two good recordings each")
    cohort = network.passport.cohort.embeddings
    return Sessions(np.stack(templates), np.stack(probes), np.array(probe_of), cohort)


def figures(sessions: Sessions) -> dict[str, Any]:
    """Measure, with pairs of secrets that are the same each time; rates in percent."""
    size = sessions.templates.shape[1]
    plain = corrected_cosine(sessions.templates, sessions.probes, sessions.cohort)
    largest, renewed, old, links, mated, non_mated = 0.0, [], [], [], [], []
    for number in range(SECRETS):
        one, other = (Rotation(bytes([number, half] * 16), size) for half in (0, 1))
        templates, probes, cohort = map(
            one.turn, (sessions.templates, sessions.probes, sessions.cohort)
        )
        turned = corrected_cosine(templates, probes, cohort)
        largest = max(largest, float(np.abs(turned - plain).max()))
        renewed.append(_eer_percent(sessions, turned))
        stolen = other.turn(sessions.templates)
        old.append(_eer_percent(sessions, corrected_cosine(stolen, probes, cohort)))
        likeness = cosine(stolen, probes)
        links.append(_eer_percent(sessions, likeness))
        of_one = _mated(sessions)
        mated.append(likeness[of_one][number % of_one.sum()])  # one a secret: they are independent
        non_mated.append(likeness[~of_one][number % (~of_one).sum()])
    return {
        "persons": len(sessions.templates),
        "probes": len(sessions.probes),
        "secrets": SECRETS,
        "eer": round(_eer_percent(sessions, plain), 3),
        "eer_turned": _range(renewed),
        "largest_difference_of_a_score": largest,
        "eer_with_template_of_another_secret": _range(old),
        "eer_of_linking_two_galleries": _range(links),
        "linking_kolmogorov_smirnov_p": round(float(ks_2samp(mated, non_mated).pvalue), 3),
    }


def _mated(sessions: Sessions) -> NDArray[np.bool_]:
    """Return which template and probe are of one person, shape (persons, probes)."""
    mated: NDArray[np.bool_] = np.arange(len(sessions.templates))[:, None] == sessions.probe_of
    return mated


def _eer_percent(sessions: Sessions, scores: NDArray[Any]) -> float:
    persons, probe_of = np.arange(len(sessions.templates)), sessions.probe_of
    template_of, of_probe = np.meshgrid(persons, probe_of, indexing="ij")
    weights = np.ones(scores.size)
    return 100 * equal_error_rate(
        Trials(scores.ravel(), template_of.ravel(), of_probe.ravel(), weights)
    )


def _range(rates: list[float]) -> dict[str, float]:
    """Return the mean over secrets, and between which it lies for 95 % of them."""
    low, high = np.percentile(rates, [2.5, 97.5])
    return {
        "mean": round(float(np.mean(rates)), 3),
        "low": round(float(low), 3),
        "high": round(float(high), 3),
    }
