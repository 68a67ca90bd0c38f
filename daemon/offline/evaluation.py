"""A model on people of one's own: enrolled by their first sitting, and probed with the others.

All of it is what the product does: ``template_of`` enrols, and a ``Recogniser`` decides. A sitting
is a recording; of whoever has a single one, the halves are taken for two sittings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daemon.offline.analysis import Analysis
from daemon.offline.errors import TooFewPeople
from daemon.offline.recognition import decide, template_of
from dsp.options import LivenessOptions
from dsp.qrs_shape import upright
from model.error_rates import Trials
from model.errors import EmbedderNeeded, EnrolmentFailed
from model.network import Network
from model.options import IdentifierOptions
from model.recogniser import Recogniser
from model.scores import corrected_cosine, cosine, mean_direction
from model.template import Template
from model.tensor import normalise

MOST_PROBES = 100  # of a sitting, spread evenly: a long one would outweigh all others
TURNS = 2  # how often each person is among the enrolled
SEED = 1  # of who is enrolled together
ENROLLED_UTC = "1970-01-01T00:00:00+00:00"  # of templates that nobody keeps


@dataclass(frozen=True, slots=True, eq=False)
class Sitting:
    """One recording of somebody, or half of it."""

    person: str  # the name of the folder
    place: str  # the data folder that the person's folder lies in
    analysis: Analysis  # what the signal chain made of it
    embeddings: NDArray[np.float32]  # of all its beats, shape (n, d)
    begin: int = 0  # its first sample within the recording

    @property
    def good(self) -> NDArray[np.float32]:
        """The embeddings of the good beats, shape (n, d)."""
        return self.embeddings[[beat.quality.good for beat in self.analysis.beats]]

    @property
    def upside_down(self) -> bool:
        """Tell whether the electrodes seem to have been in each other's place."""
        windows_mv = [beat.ecg_mv for beat in self.analysis.beats if beat.quality.good]
        return bool(windows_mv) and not upright(np.array(windows_mv))

    def halves(self) -> tuple[Sitting, Sitting]:
        """Return it as two sittings, by the number of heartbeats."""
        events = self.analysis.events
        middle = len(events) // 2
        first = replace(self.analysis, events=events[:middle])
        second = replace(self.analysis, events=events[middle:])
        begin = next((beat.r_index for beat in second.beats), 0)
        beats = len(first.beats)
        return (
            replace(self, analysis=first, embeddings=self.embeddings[:beats]),
            replace(self, analysis=second, embeddings=self.embeddings[beats:], begin=begin),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """What the recogniser said of one sitting, when some people were enrolled."""

    sitting: Sitting
    is_enrolled: bool  # whether its person was
    person: str | None  # who was accepted at its end
    accepted: frozenset[str]  # whoever was accepted at any moment
    decided_s: float  # from its begin to the first decision; NaN if there was none

    @property
    def is_recognised(self) -> bool:
        """Tell whether it was accepted as its person's at the end."""
        return self.person == self.sitting.person


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """How alike everybody's template is to each probe of those who are enrolled."""

    trials: Trials  # by corrected cosine, as with one person enrolled
    #: person number of each probe, shape (p,), as places in ``OwnPeople.templates``
    whose: NDArray[np.int64]
    nearest: NDArray[np.int64]  # whose template is nearest to each, shape (p,)

    def confusion(self) -> NDArray[np.int64]:
        """Count probes by whose they are (rows) and whose template is nearest (columns)."""
        people = int(self.trials.template_of.max()) + 1
        counts = np.zeros((people, people), dtype=np.int64)
        np.add.at(counts, (self.whose, self.nearest), 1)
        return counts


class OwnPeople:
    """People, enrolled as the service would by their first sitting.

    Args:
        sittings: of two people or more, each person's in the order in which they were recorded.
        network: an embedder.
        minimum: good beats that an enrolment needs.
        options: how many beats a decision counts.
        liveness: what to do about a signal that is no living heart's.

    Attributes:
        names: of all people.
        halved: those with a single recording.
        templates: of the people who could be enrolled, by name.
        refused: why the others could not.
        later: the sittings that nobody is enrolled by.

    Raises:
        EmbedderNeeded: the model is a classifier.
        TooFewPeople: there is nobody to mistake anybody for.
    """

    def __init__(
        self,
        sittings: Sequence[Sitting],
        network: Network,
        minimum: int,
        options: IdentifierOptions,
        liveness: LivenessOptions,
    ) -> None:
        if network.passport.cohort is None:
            raise EmbedderNeeded(
                f"model {network.passport.name!r} knows only the group it was trained on, and was "
                "measured when it was; evaluate model takes an embedder"
            )
        self._passport, self._cohort = network.passport, network.passport.cohort.embeddings
        self._options, self._liveness = options, liveness
        self.templates: dict[str, Template] = {}
        self.refused: dict[str, str] = {}
        self.later: list[Sitting] = []
        self.halved: list[str] = []
        self.names = list(dict.fromkeys(sitting.person for sitting in sittings))
        for name in self.names:
            first, *later = (sitting for sitting in sittings if sitting.person == name)
            if not later:
                self.halved.append(name)
                first, *later = first.halves()
            self.later += later
            self._enrol(first, network, minimum)
        if len(self.templates) < 2:
            why = "; ".join(self.refused.values())
            raise TooFewPeople(
                f"people who could be enrolled: {len(self.templates)} of {len(self.names)}, "
                f"needed: 2 or more{why and f' ({why})'}; give a folder that has a folder of "
                "recordings for each person"
            )

    def _enrol(self, first: Sitting, network: Network, minimum: int) -> None:
        try:
            self.templates[first.person] = template_of(
                first.analysis,
                first.person,
                network,
                minimum,
                liveness=self._liveness,
                created_utc=ENROLLED_UTC,
            )
        except EnrolmentFailed as error:
            self.refused[first.person] = str(error)

    def groups(self, size: int) -> list[list[Template]]:
        """Return who is enrolled together: each of them in ``TURNS`` groups, or one more.

        Somebody is left out of each group, to be a stranger to it.
        """
        rng = np.random.default_rng(SEED)
        size = min(size, len(self.templates) - 1)
        templates = list(self.templates.values())
        turns: list[list[Template]] = []
        for _ in range(TURNS):
            order = [templates[place] for place in rng.permutation(len(templates))]
            rounded_up = order + order[: -len(order) % size]
            turns += [rounded_up[at : at + size] for at in range(0, len(rounded_up), size)]
        return turns

    def visits(self, group: Sequence[Template]) -> Iterator[Visit]:
        """Enrol a group, and let a recogniser decide on each later sitting."""
        names = {template.person for template in group}
        for sitting in self.later:
            outputs = iter(sitting.embeddings)
            recogniser = Recogniser(
                self._passport,
                lambda _, outputs=outputs: next(outputs),  # type: ignore[misc]
                group,
                self._options,
                self._liveness,
                smoothed=True,
            )
            decided = decide(recogniser, sitting.analysis.events, sitting.begin)
            yield Visit(sitting, sitting.person in names, *decided)

    def scores(self, beats: int) -> Scores:
        """Compare everybody with each stretch of so many consecutive good beats.

        Raises:
            TooFewPeople: of fewer than two of the enrolled there is such a stretch.
        """
        numbers = {name: number for number, name in enumerate(self.templates)}
        probes, probe_of = [], []
        for sitting in self.later:
            if sitting.person in numbers:
                good = sitting.good
                last = len(good) - beats
                starts = (
                    np.unique(np.linspace(0, last, MOST_PROBES).astype(int)) if last >= 0 else ()
                )
                probes += [mean_direction(good[at : at + beats]) for at in starts]
                probe_of += [numbers[sitting.person]] * len(starts)
        if len(set(probe_of)) < 2:
            raise TooFewPeople(
                f"people with {beats} good beats after their enrolment: {len(set(probe_of))}, "
                "needed: 2 or more; take longer recordings, or cleaner ones"
            )
        templates = np.stack([template.embedding for template in self.templates.values()])
        corrected = corrected_cosine(templates, np.stack(probes), self._cohort)
        nearest = cosine(templates, np.stack(probes)).argmax(axis=0)
        template_at, probe_at = np.indices(corrected.shape).reshape(2, -1)
        whose = np.array(probe_of)
        trials = Trials(corrected.ravel(), template_at, whose[probe_at], np.ones(corrected.size))
        return Scores(trials, whose, nearest)


def sitting(person: str, place: str, analysis: Analysis, network: Network) -> Sitting:
    """Return a recording of somebody as a sitting."""
    return Sitting(person, place, analysis, network.run(normalise(analysis.windows_mv)))
