"""Among how many people somebody can be identified: what it costs, and who is taken for whom.

    python -m benchmarks.scale                  what it costs, with made-up templates
    python -m benchmarks.scale --data cinc2017  strangers accepted and the enrolled recognised, too

Seconds are the processor's. Of the people in DATA (as of ``benchmarks.training.one_each``) those
are probed whom no network and no threshold knows; half of them are enrolled at most, and larger
galleries are filled with those who set thresholds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np

from benchmarks.identity.devices import BEATS
from benchmarks.report import markdown, stage_bars
from benchmarks.training.one_each import gather_one_each
from benchmarks.travel import MAINS_HZ, TEST_SEED, rate
from dsp.signals import BeatQuality
from model.gallery import Gallery
from model.identifier import Identifier, matching
from model.network import Network
from model.opening import open_network
from model.options import IdentifierOptions
from model.passport import Passport
from model.scores import unit
from model.template import MOST_BEATS, Template
from model.tensor import normalise
from model.training.searches import Halves, Searches, accepted, halve, search_group

CROWDS = (100, 10_000, 100_000)
SIZES = (1, 8, 32, 64, 100, 200, 350)
DRAWS = 20  # of each size
DECISIONS = 200  # that are timed
HEADINGS = ("enrolled", "strangers accepted %", "enrolled recognised %", "of them nearest %")
GOOD = BeatQuality(1.0, ())


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    data = parser.parse_args().data
    with TemporaryDirectory(prefix="qrsd-scale-") as folder:
        rows = [cost(people, Path(folder) / f"{people}.sqlite") for people in CROWDS]
    print(markdown(("enrolled", "start s", "decision ms", "threshold"), rows))
    if data:
        network = open_network(None, None)
        print("\n" + markdown(HEADINGS, rates(*gather(data, network), network.passport)))


def cost(people: int, path: Path) -> list[str]:
    """Return what it takes to open a gallery of made-up people and to decide on a beat."""
    begun_s = process_time()
    passport = open_network(None, None).passport
    opened_s = process_time() - begun_s
    rng = np.random.default_rng(people)
    embeddings = unit(rng.normal(size=(people, passport.tensors.outputs)).astype(np.float32))
    made = MOST_BEATS, "2026-01-01T00:00:00+00:00", passport.sha256, "recording"
    with Gallery(path) as gallery:
        gallery.enrol(*(Template(f"P{at}", each, *made) for at, each in enumerate(embeddings)))
    begun_s = process_time()
    with Gallery(path) as gallery:
        templates = gallery.templates(passport.sha256, passport.tensors.outputs)
        identifier = Identifier(passport, matching(passport, templates))
        gallery.unknown_to(passport.sha256)
    start_s = opened_s + process_time() - begun_s
    begun_s = process_time()
    for beat in embeddings[rng.integers(people, size=DECISIONS)]:
        identifier.push(beat, GOOD)
    decision_ms = (process_time() - begun_s) / DECISIONS * 1000
    threshold = passport.calibration.search_threshold(BEATS, people, IdentifierOptions().fpir)
    return [f"{people:,}", f"{start_s:.2f}", f"{decision_ms:.2f}", f"{threshold:.3f}"]


def gather(data: Path, network: Network) -> tuple[Halves, Halves]:
    """Return the people who are probed, and those who set thresholds, of whom no network learnt."""
    with stage_bars() as bars:
        beats = [gather_one_each(data, bars, MAINS_HZ, who) for who in ("test", "thresholds")]
    tested, others = (halve(each, network.run(normalise(each.windows_mv))) for each in beats)
    return tested, others


def rates(tested: Halves, others: Halves, passport: Passport) -> Iterator[list[str]]:
    """Yield how often strangers and the enrolled are accepted, by the number enrolled."""
    assert passport.cohort is not None
    everybody = Halves(
        tested.names + others.names,
        np.concatenate([tested.templates, others.templates]),
        tested.probes + others.probes,
    )
    own, probes = len(tested.names), tested.probe(BEATS)
    rng = np.random.default_rng(TEST_SEED)
    for size in (size for size in SIZES if size <= own // 2 + len(others.names)):
        drawn = []
        for _ in range(DRAWS):
            members = rng.permutation(own)[: min(size, own // 2)]
            filling = own + rng.permutation(len(others.names))[: size - len(members)]
            group = np.concatenate([members, filling])
            drawn.append(search_group(everybody, probes, passport.cohort.embeddings, group))
        found = Searches.pool(drawn)
        passed = accepted(passport.calibration, found, size, BEATS)
        nearest = rate(found.is_right, found, found.is_enrolled)
        strangers = rate(passed, found, ~found.is_enrolled)
        known = rate(passed & found.is_right, found, found.is_enrolled)
        yield [str(size), strangers, known, nearest]


if __name__ == "__main__":
    main()
