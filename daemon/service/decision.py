"""Whose heart it is, or that it seems to be no living one: what is said of both."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.wire.messages import Hint, IdentityState
from dsp.liveness import LivenessOptions, Suspicion
from model.identifier import Identity


@dataclass(frozen=True, slots=True)
class Decision:
    """An identity, held to the check for life.

    Attributes:
        state: the identity's, or ``suspect``.
        person: who, if ``accepted``.
        confidence: probability that ``accepted`` or ``unknown`` is right; None otherwise.
        beats: good beats that the identity counts.
        hint: what the check suspects, unless it is to be ignored.
    """

    state: IdentityState
    person: str | None
    confidence: float | None
    beats: int
    hint: Hint | None


def apply_liveness(
    identity: Identity, suspicion: Suspicion | None, options: LivenessOptions
) -> Decision:
    """Return what is said of a signal that may be suspected."""
    if options.refused(suspicion):
        return Decision("suspect", None, None, identity.beats, suspicion)
    hint = None if options.on_suspicion == "ignore" else suspicion
    return Decision(identity.state, identity.person, identity.confidence, identity.beats, hint)
