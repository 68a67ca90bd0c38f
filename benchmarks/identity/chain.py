"""One fold through the parts that the service is made of: network, enrolment, gallery, identifier.

This runs where TensorFlow is not loaded (see ``benchmarks.identity.fold``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.apart import apart
from benchmarks.identity.angles import score_by_angle
from benchmarks.identity.plan import FoldJob, Session, Trained
from daemon.offline.recognition import decide
from dsp.options import LivenessOptions
from model.calibration import Calibration
from model.enrolment import FEWEST_BEATS, Enrolment
from model.error_rates import Trials
from model.errors import EnrolmentFailed
from model.gallery import Gallery
from model.network import Network
from model.passport import Cohort, Passport
from model.recogniser import Recogniser
from model.scores import corrected_cosine
from model.template import MOST_BEATS, Template
from model.tensor import normalise
from model.training.datasets import Beats
from model.training.errors import TooLittleData
from model.training.evaluate import (
    REPORTED,
    STRETCHES,
    Scores,
    can_enrol,
    cohort_templates,
    compare,
    probes,
    score,
    templates,
)
from model.training.searches import Halves, Setting, halve

GROUP = 6  # enrolled in an open set
DRAWS = 20  # of a group from each fold
IDENTIFIER_DRAWS = 5  # since every beat of every record is decided on
PAIRS = 2000  # of beats, of the same person and of two persons each


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """One fold's beats as its network sees them, before anything is calibrated."""

    job: FoldJob  # the fold
    passport: Passport  # of its model
    cohort: NDArray[np.float32]  # the passport's, shape (c, d)
    runtime: str  # that ran it
    embeddings: NDArray[np.float32]  # of the unseen beats, shape (n, d)
    before: Trained  # what the network made of them before conversion
    #: by number of beats, one for each of STRETCHES, to calibrate other folds with
    trials: list[Trials]
    #: people of other devices, to calibrate this fold with
    setters: list[Setting]
    tested: dict[str, Halves]  # people of other devices, to be judged, by the device
    pairs: Trials  # single beats of different records
    sides: dict[tuple[int, int], Scores]  # scores by number of fittings and angle, if there are any


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What the identifier said, with 1 for the person accepted and 0 for not."""

    at_end: Trials  # of each record
    on_the_way: Trials  # at any moment of each record
    decided_s: NDArray[np.float64]  # from each record's start to its first decision


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One fold's scores and decisions; persons are numbered as in ``FoldJob.names``."""

    enrolled: dict[int, bool]  # of each unseen person: whether it could be
    good_beats: list[tuple[int, int]]  # of each probe record, with its person
    scores: dict[int, Scores]  # by number of beats
    original: dict[int, Scores]  # the same by the network before conversion
    groups: dict[int, Trials]  # by number of beats: six enrolled, the best match of each probe
    claims: Decisions  # the identifier with only the claimed person enrolled
    searches: Decisions  # the identifier with six enrolled


def embed_fold(job: FoldJob) -> Embedded:
    """Train a fold's network, run its model and score uncalibrated."""
    with TemporaryDirectory(prefix="qrsd-evaluate-") as folder:
        model_path = Path(folder) / "fold.tflite"
        trained = apart(_train, job, model_path)
        return _embed(job, model_path, trained)


def _train(job: FoldJob, model_path: Path) -> Trained:
    from benchmarks.identity.fold import train_fold  # TensorFlow

    return train_fold(job, model_path)


def _embed(job: FoldJob, model_path: Path, before: Trained) -> Embedded:
    """Run a fold's model and give it the cohort that it sees itself."""
    network = Network(model_path)

    def embed(windows_mv: NDArray[np.float64]) -> NDArray[np.float32]:
        return network.run(normalise(windows_mv))

    cohort = cohort_templates(job.known, job.others, embed)
    written = Cohort.write(model_path.with_suffix(".cohort.npy"), cohort)
    passport = replace(network.passport, cohort=written)
    passport.save(model_path)
    embeddings = embed(job.unseen.windows_mv)
    able = np.isin(job.unseen.persons, [n for n in job.unseen.names if can_enrol(job.unseen, n)])
    beats = job.unseen.where(able)
    return Embedded(
        job,
        passport,
        cohort,
        network.runtime,
        embeddings,
        before,
        [compare(beats, embeddings[able], cohort, stretch).trials for stretch in STRETCHES],
        [(halve(setters, embed(setters.windows_mv)), cohort) for setters in job.others.setters],
        {name: halve(beats, embed(beats.windows_mv)) for name, beats in job.tested.items()},
        _pairs(job, embeddings, cohort),
        score_by_angle(job.sides, embed(job.side_windows_mv), cohort, job.hearts)
        if job.sides
        else {},
    )


def _pairs(job: FoldJob, embeddings: NDArray[np.float32], cohort: NDArray[np.float32]) -> Trials:
    """Draw pairs of good beats, never of one record: half of one person, half of two."""
    rng = np.random.default_rng([job.seed, job.number])
    beats = job.unseen
    rows = {
        record: good
        for record in np.unique(beats.records)
        if (good := np.flatnonzero((beats.records == record) & beats.good)).size
    }
    own = {name: [r for r in beats.records_of(name) if r in rows] for name in beats.names}
    several = [name for name, records in own.items() if len(records) > 1]
    some = [name for name, records in own.items() if records]
    pairs = []
    for _ in range(PAIRS):
        person = rng.choice(several)
        one, other = rng.permutation(len(own[person]))[:2]
        pairs.append((own[person][one], own[person][other]))
        first, second = rng.permutation(len(some))[:2]
        pairs.append((rng.choice(own[some[first]]), rng.choice(own[some[second]])))
    at = np.array([[rng.choice(rows[record]) for record in pair] for pair in pairs])
    numbers = np.searchsorted(np.array(job.names), beats.persons)
    corrected = _paired_scores(embeddings[at[:, 0]], embeddings[at[:, 1]], cohort)
    return Trials(corrected, numbers[at[:, 0]], numbers[at[:, 1]], np.ones(len(at)))


def _paired_scores(
    ones: NDArray[np.float32], others: NDArray[np.float32], cohort: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the corrected cosine of each vector with the one in the same row, shape (n,)."""
    parts = zip(np.array_split(ones, 50), np.array_split(others, 50), strict=True)
    return np.concatenate([np.diag(corrected_cosine(one, other, cohort)) for one, other in parts])


def judge_fold(embedded: Embedded, calibration: Calibration) -> Judged:
    """Enrol the fold's people in a gallery, and probe it with their later records.

    Args:
        embedded: the fold.
        calibration: from the other folds' persons.
    """
    job = embedded.job
    passport = replace(embedded.passport, calibration=calibration)
    assert passport.cohort is not None
    sitting = _Sittings(job, passport, embedded.embeddings)
    enrolled, refused = sitting.enrol()
    if len(enrolled) < 2:
        raise TooLittleData(
            f"{len(enrolled)} of {len(job.unseen.names)} persons of a fold could be enrolled: "
            "the networks need more persons or more steps to learn from"
        )
    members = np.isin(job.unseen.persons, [template.person for template in enrolled])
    beats = job.unseen.where(members)
    vectors = np.stack([template.embedding for template in enrolled])
    converted, keras = embedded.embeddings[members], embedded.before.embeddings[members]
    scores = _score_all(job, beats, converted, vectors, passport.cohort.embeddings)
    number = job.names.index
    return Judged(
        {number(t.person): True for t in enrolled} | {number(name): False for name in refused},
        [(number(session.person), session.good_beats) for session in sitting.later],
        scores,
        _score_all(job, beats, keras, templates(beats, keras), embedded.before.cohort),
        {stretch: _search_groups(job, scores[stretch]) for stretch in REPORTED},
        sitting.claims(enrolled),
        sitting.searches(enrolled),
    )


class _Sittings:
    """A fold's records before a recogniser: the earliest to enrol by, the later to decide on."""

    def __init__(self, job: FoldJob, passport: Passport, embeddings: NDArray[np.float32]) -> None:
        self._job = job
        self._passport = passport
        self._embeddings = embeddings
        self._earliest = {each.person: each for each in reversed(job.sessions)}
        self.later = [each for each in job.sessions if each is not self._earliest[each.person]]

    def enrol(self) -> tuple[list[Template], list[str]]:
        """Put everybody's template into a gallery; return these and who has none."""
        refused = []
        with (
            TemporaryDirectory(prefix="qrsd-evaluate-") as folder,
            Gallery(Path(folder) / "gallery.sqlite") as gallery,
        ):
            for name in self._job.unseen.names:
                earliest = self._earliest[name]
                try:
                    enrolment = Enrolment(name, self._passport, FEWEST_BEATS, MOST_BEATS)
                    recogniser = self._recogniser([], earliest)
                    recogniser.enrol(enrolment)
                    for event in earliest.events:
                        recogniser.push(event)
                    gallery.enrol(enrolment.template(self._passport.created_utc, "recording"))
                except EnrolmentFailed:
                    refused.append(name)
            enrolled = gallery.templates(self._passport.sha256)
        return sorted(enrolled, key=lambda template: template.person), refused

    def claims(self, enrolled: Sequence[Template]) -> Decisions:
        """Let everybody's records claim to be each enrolled person."""
        names = {template.person for template in enrolled}
        rows = [
            (template.person, session.person, *self._decide([template], session))
            for session in self.later
            if session.person in names
            for template in enrolled
        ]
        return _decisions(self._job, rows)

    def searches(self, enrolled: Sequence[Template]) -> Decisions:
        """Enrol six at random, a few times, and let everybody's records be searched among them."""
        rng = np.random.default_rng([self._job.seed, self._job.number])
        rows = []
        for _ in range(IDENTIFIER_DRAWS):
            places = rng.permutation(len(enrolled))[: min(GROUP, len(enrolled) - 1)]
            group = [enrolled[place] for place in places]
            names = {template.person for template in group}
            for session in self.later:
                at_end, accepted, decided_s = self._decide(group, session)
                if session.person in names:
                    wanted = session.person
                else:  # whoever was taken for the stranger; if nobody was, any of the group
                    wanted = at_end or min(accepted, default=group[0].person)
                rows.append((wanted, session.person, at_end, accepted, decided_s))
        return _decisions(self._job, rows)

    def _recogniser(self, group: list[Template], session: Session) -> Recogniser:
        """Return one that knows a group, for one record's events; each may be a living heart's."""
        rows = iter(self._embeddings[self._job.unseen.records == session.record])
        alive = LivenessOptions("ignore")
        return Recogniser(self._passport, lambda _: next(rows), group, liveness=alive)

    def _decide(
        self, group: list[Template], session: Session
    ) -> tuple[str | None, frozenset[str], float]:
        return decide(self._recogniser(group, session), session.events)


def _score_all(
    job: FoldJob,
    beats: Beats,
    embeddings: NDArray[np.float32],
    enrolled: NDArray[np.float32],
    cohort: NDArray[np.float32],
) -> dict[int, Scores]:
    """Score the templates of all of ``beats.names`` with all stretches of later records."""
    numbers = np.searchsorted(np.array(job.names), beats.names)
    scores = {}
    for stretch in REPORTED:
        probed = probes(beats, embeddings, stretch)
        probed = replace(probed, persons=numbers[probed.persons])
        scores[stretch] = score(enrolled, numbers, probed, cohort)
    return scores


def _search_groups(job: FoldJob, scores: Scores) -> Trials:
    """Enrol six at random, again and again, and take each probe's best match.

    An enrolled person's probe is a mated trial, lost at any threshold (score -inf) if somebody
    else is nearest; a stranger's is a trial with the nearest template.
    """
    rng = np.random.default_rng([job.seed, job.number])
    group_size = min(GROUP, len(scores.template_of) - 1)
    corrected, nearest_of = [], []
    for _ in range(DRAWS):
        group = rng.permutation(len(scores.template_of))[:group_size]
        nearest = group[scores.cosines[group].argmax(axis=0)]
        found = scores.corrected[nearest, np.arange(len(scores.probe_of))]
        enrolled = np.isin(scores.probe_of, scores.template_of[group])
        wrong = enrolled & (scores.template_of[nearest] != scores.probe_of)
        corrected.append(np.where(wrong, -np.inf, found))
        nearest_of.append(np.where(enrolled, scores.probe_of, scores.template_of[nearest]))
    return Trials(
        np.concatenate(corrected),
        np.concatenate(nearest_of),
        np.tile(scores.probe_of, DRAWS),
        np.ones(DRAWS * len(scores.probe_of)),
    )


def _decisions(
    job: FoldJob, rows: Iterable[tuple[str, str, str | None, frozenset[str], float]]
) -> Decisions:
    wanted, whose, at_end, accepted, decided_s = zip(*rows, strict=True)
    names = np.array(job.names)
    template_of, probe_of = np.searchsorted(names, wanted), np.searchsorted(names, whose)
    right = [float(one == other) for one, other in zip(wanted, at_end, strict=True)]
    ever = [float(one in others) for one, others in zip(wanted, accepted, strict=True)]
    ones = np.ones(len(right))
    return Decisions(
        Trials(np.array(right), template_of, probe_of, ones),
        Trials(np.array(ever), template_of, probe_of, ones),
        np.array(decided_s),
    )
