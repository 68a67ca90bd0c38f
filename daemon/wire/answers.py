"""What the control socket answers to each command, besides ``ok``.

Clients read it too, so numpy, which people's templates need, stays unloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from daemon.wire.messages import Hint, IdentityState, Source
from daemon.wire.status import ModelStatus
from model.verdict import Verdict

if TYPE_CHECKING:
    from model.template import Person


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a request that the service refuses."""

    error: str  # why, for people
    code: str  # why, for programs


@dataclass(frozen=True, slots=True)
class Done:
    """The command was carried out; there is nothing else to tell."""


@dataclass(frozen=True, slots=True)
class EnrolmentAnswer:
    """How the enrolment goes, or how the last one ended; what is not known is left out."""

    state: Literal["none", "gathering", "done", "failed"]
    person: str | None = None
    beats: int | None = None
    needed: int | None = None
    error: str | None = None  # why it failed, for people
    code: str | None = None  # why it failed, for programs


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """An enrolled person."""

    name: str
    created_utc: str
    consent_utc: str | None
    templates: int
    grown: int
    beats: int
    sittings: tuple[str, ...] = ()  # when they were enrolled, ISO 8601, oldest first
    #: how far the newest template is from the oldest: 1 less their cosine; null without two
    drift: float | None = None

    @classmethod
    def of(cls, person: Person) -> Self:
        """Return what is told of somebody in the gallery."""
        beats = sum(template.beats for template in person.templates)
        templates = len(person.templates)
        of_gallery = person.name, person.created_utc, person.consent_utc, templates, person.grown
        return cls(*of_gallery, beats, person.sittings, person.drift)


@dataclass(frozen=True, slots=True)
class PeopleAnswer:
    """The enrolled people."""

    people: tuple[PersonAnswer, ...]
    sealed: bool


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """Everything that is held on a person, as ``qrsd people import`` takes it."""

    format: str  # ``qrsd people``
    schema: int  # version of the format
    #: the person: ``name``, ``created_utc``, ``consent_utc`` and ``templates``
    people: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """The service that answers."""

    version: str  # of qrsd
    device: str  # name of the device
    #: ``simulated`` if no real chip is behind it; its people then have their own gallery
    source: Source
    schema: int  # version of the messages
    topics: tuple[str, ...]  # what can be subscribed to
    channels: tuple[str, str] | None  # what channels 1 and 2 record; null before the chip is set up
    model: ModelStatus  # the model in use
    people_version: str  # another one after each change of who is enrolled


@dataclass(frozen=True, slots=True)
class RecordingIdentity:
    """Whose a recording is: the decision after its last beat, as the service would have made it."""

    state: IdentityState
    person: str | None  # who, if ``accepted``
    confidence: float | None  # probability that ``accepted`` or ``unknown`` is right, 0 to 1
    beats: int  # good beats that the decision counts
    hint: Hint | None  # what may be wrong with the signal
    good_beats: int  # of the whole recording
    seconds: float  # its length


@dataclass(frozen=True, slots=True)
class ExplanationAnswer:
    """Which parts of the beats the present decision rests on."""

    state: IdentityState  # of the decision
    person: str  # whom the beats are compared with: who is accepted, or whom they come nearest to
    score: float  # how alike they are
    beats: int  # good beats that the decision counts, of which all that follows is the mean
    ecg_mv: tuple[float, ...]  # the beat as the network sees it, but in mV
    weights: tuple[float, ...]  # what the score loses by a mask over each sample; below 0: gains
    offsets_s: tuple[float, ...]  # when each sample is, counted from the R peak


@dataclass(frozen=True, slots=True)
class RecorderAnswer:
    """What the recorder does; its control socket is one of its own."""

    state: Literal["waiting", "recording"]
    file: str | None = None  # name of the one that is being written
    seconds: float | None = None  # how long it is so far


Answer: TypeAlias = (
    Done
    | EnrolmentAnswer
    | PeopleAnswer
    | ExportAnswer
    | Verdict
    | RecordingIdentity
    | ExplanationAnswer
    | Description
    | RecorderAnswer
)

ANSWERS: dict[str, type[Answer]] = {
    "enroll": EnrolmentAnswer,
    "enrolment": EnrolmentAnswer,
    "cancel": Done,
    "people": PeopleAnswer,
    "rename": Done,
    "forget": Done,
    "export": ExportAnswer,
    "merge": Done,
    "verify": Verdict,
    "identify": RecordingIdentity,
    "explain": ExplanationAnswer,
    "describe": Description,
}
