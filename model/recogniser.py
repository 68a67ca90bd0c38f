"""Whose heart it is: the decision chain from the front end's events to a ``Decision``.

    BeatWindow -> embedding --> Identifier ----> accepted, unknown, undecided --.
         |            |-------> Session, Enrolment                               +-> Decision
         `---------------------> Liveness -----> suspect ------------------------'
    Interruption, ContactRestored --> all of them begin anew
    the inverted signal -------------> Identifier --> hint: the electrodes may be swapped

The service, the commands and the benchmarks run this same object, as they run one front end.

Swapped electrodes invert lead I, and an inverted heart matches no template. So while nobody is
known, the inverted signal is analysed too, for as many beats as a decision looks back on; if it
matches nobody either, again after a minute. To invert the beats that were cut out already would be
less work, but the detector may put the R peak elsewhere in an inverted signal: on ECG-ID that finds
73 % of swapped pairs, a second analysis 97 %, as many as are known the right way round. Either is a
hint only: nobody is accepted by it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.liveness import Liveness
from dsp.options import LivenessOptions, Suspicion
from dsp.signals import BeatWindow, ContactRestored, Event, Interruption, LeadOffContradicted
from model.enrolment import Enrolment
from model.evidence import Evidence
from model.fittings import Session
from model.identifier import Decision, Hint, Identifier, matching
from model.network import Network
from model.options import IdentifierOptions
from model.passport import Passport
from model.template import Template
from model.tensor import normalise

SWAPPED: Hint = "electrodes_swapped"
STALE: Hint = "no_good_beats"
CHANGED: Hint = "heart_changed"
CONTRADICTED: Hint = "lead_off_contradicted"
TWO_KINDS: Hint = "two_kinds_of_beats"

#: Until an inverted signal that matched nobody is analysed again.
REST_SAMPLES = round(60.0 * RATE_HZ)

#: Gives the network's output for a beat, shape (outputs,).
Embed: TypeAlias = Callable[[BeatWindow], NDArray[np.float32]]


def embed_with(network: Network) -> Embed:
    """Return the function that gives a network's output for one beat."""
    return lambda beat: network.run(normalise([beat.ecg_mv]))[0]


class Recogniser:
    """Takes the events of one signal in order and decides whose heart it is.

    Args:
        passport: of the network whose outputs ``embed`` gives.
        embed: the network, or outputs that were computed before.
        templates: of the enrolled people, made by that network; a classifier needs none.
        options: how many beats a decision counts.
        liveness: what to do about a signal that seems to be played; ``ignore`` runs no check.
        smoothed: whether the signal may have been smoothed, as a file's: it is never too clean.

    Attributes:
        decision: the newest.
        counted: the good beats that it counts.
        session: the first good beats since the electrodes were fitted.
        enrolment: the one under way, to be ended by whoever began it; else None.

    Raises:
        ForeignTemplate: a template was made by another model.
    """

    def __init__(
        self,
        passport: Passport,
        embed: Embed,
        templates: Sequence[Template] = (),
        options: IdentifierOptions | None = None,
        liveness: LivenessOptions | None = None,
        *,
        smoothed: bool = False,
    ) -> None:
        self._embed = embed
        self._passport = passport
        self._max_beats = (options or IdentifierOptions()).max_beats
        matcher = matching(passport, templates)
        self._identifier = Identifier(passport, matcher, options)
        self._inverted = Identifier(passport, matcher, options)
        self._rest_ends: int | None = None  # when the inverted signal is analysed again, a sample
        self._has_labels = passport.kind == "classifier"
        self._anybody = bool(templates) or self._has_labels
        self._liveness = Liveness(smoothed)
        self._liveness_options = liveness or LivenessOptions()
        self._evidence = Evidence()
        self.counted: deque[BeatWindow] = deque(maxlen=self._max_beats)
        self.session = Session()
        self.enrolment: Enrolment | None = None
        self._of_signal: Hint | None = (
            None  # why evidence was dropped, or what the front end warns of
        )
        self.decision = self._decide()

    @property
    def inverted_wanted(self) -> bool:
        """Tell whether ``push_inverted`` is of use now: nobody is known as the signal comes."""
        return (
            self.decision.state == "unknown"
            and self._anybody
            and self._inverted.decision.beats < self._max_beats
        )

    def push(self, event: Event) -> Decision | None:
        """Take one event; return the decision if it is made anew, be it the same as before."""
        match event:
            case BeatWindow():
                self._take_beat(event)
            case Interruption() if event.wearer_may_differ:
                self._begin_anew(event.reason)
            case ContactRestored():
                self._of_signal = None
                self._identifier.restored()
            case LeadOffContradicted():
                self._of_signal = CONTRADICTED
            case _:
                return None
        self.decision = self._decide()
        return self.decision

    def tick(self, index: int) -> None:
        """Let the evidence age: without a good beat for three seconds nobody is known any more."""
        if self._evidence.is_stale(index):
            self._drop_evidence(STALE)
            self.decision = self._decide()
        if self._rest_ends is not None and index >= self._rest_ends:
            self._rest_ends = None
            if self._inverted.decision.state == "unknown":
                self._inverted.interrupted("gap")

    def push_inverted(self, event: Event) -> None:
        """Take one event of the inverted signal, while ``inverted_wanted``."""
        if isinstance(event, BeatWindow):
            self._inverted.push(self._embed(event), event.quality)
            self._rest_ends = event.r_index + REST_SAMPLES
        elif isinstance(event, Interruption) and event.wearer_may_differ:
            self._inverted.interrupted(event.reason)
        self.decision = self._decide()

    def try_inverted(self, events: Iterator[Event]) -> Decision:
        """Take as many events of the inverted signal as are wanted; return the decision then."""
        while self.inverted_wanted and (event := next(events, None)):
            self.push_inverted(event)
        return self.decision

    def enrol(self, enrolment: Enrolment) -> None:
        """Gather beats for an enrolment from now on."""
        self.enrolment = enrolment
        enrolment.suspect(self._refused)

    def use_templates(self, templates: Sequence[Template]) -> None:
        """Decide from now on among these people.

        Raises:
            ForeignTemplate: a template was made by another model.
        """
        matcher = matching(self._passport, templates)
        self._identifier.update(matcher)
        self._inverted.update(matcher)
        self._anybody = bool(templates) or self._has_labels
        self.decision = self._decide()

    @property
    def _refused(self) -> Suspicion | None:
        """Why nobody is accepted or enrolled by this session; None if somebody may be."""
        return self._liveness_options.refused(self._liveness.suspicion)

    @property
    def _too_soon(self) -> bool:
        """Tell whether beats that come like a clock's may be a fast heart's: nobody is new then."""
        would_refuse = self._liveness_options.refused("too_regular") is not None
        return would_refuse and self._liveness.may_be_regular

    def _take_beat(self, beat: BeatWindow) -> None:
        output = self._embed(beat)
        self.tick(beat.r_index)
        self._of_signal = TWO_KINDS if beat.quality.two_kinds else None
        doubt = self._evidence.push(beat, output)
        if doubt is not None:
            self._drop_evidence(doubt)
        self._identifier.push(output, beat.quality)
        if beat.quality.good:
            self.counted.append(beat)
        if self._liveness_options.on_suspicion != "ignore":
            self._liveness.push(beat)
        if self._refused or self._too_soon:
            self.session.restart()  # nobody's template may grow from what was played
        else:
            self.session.push(output, beat.quality)
        if self.enrolment is not None:
            self.enrolment.push(output, beat.quality)
            self.enrolment.suspect(self._refused, too_soon=self._too_soon)

    def _drop_evidence(self, why: Hint) -> None:
        """Forget the wearer, since the signal no longer speaks for them."""
        self._begin_anew("gap")
        self._of_signal = why

    def _begin_anew(self, reason: Literal["gap", "lead_off"]) -> None:
        """Forget the wearer: someone else may wear the electrodes by now."""
        self._of_signal = None
        self._evidence.restart()
        self._identifier.interrupted(reason)
        self.counted.clear()
        self._liveness.restart()
        self.session.restart()
        if self.enrolment is not None:
            self.enrolment.restart()

    def _decide(self) -> Decision:
        """Return the identifier's decision, or ``suspect`` by the liveness check, with its hint."""
        decision = self._identifier.decision
        suspicion = self._liveness.suspicion
        if self._refused:
            decision = Decision("suspect", None, None, decision.beats)
        elif self._too_soon and decision.state == "accepted" != self.decision.state:
            decision = Decision("undecided", None, None, decision.beats)
        if decision.state != "unknown":
            self._inverted.interrupted("gap")
        elif suspicion is None and self._inverted.decision.state == "accepted":
            return replace(decision, hint=SWAPPED)
        return replace(decision, hint=suspicion or self._of_signal or decision.hint)
