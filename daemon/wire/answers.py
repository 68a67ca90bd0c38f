"""What the control socket answers to each command, besides ``ok``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from daemon.wire.messages import Source
from daemon.wire.status import ModelStatus
from model.comparison import Verdict


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer of a service that says no.

    Attributes:
        error: why, for people.
        code: why, for programs.
    """

    error: str
    code: str


@dataclass(frozen=True, slots=True)
class Done:
    """There is nothing to tell."""


@dataclass(frozen=True, slots=True)
class EnrolmentAnswer:
    """How the enrolment goes, or how the last one ended; what is not known is left out.

    Attributes:
        error: why it failed, for people.
        code: why it failed, for programs.
    """

    state: Literal["none", "gathering", "done", "failed"]
    person: str | None = None
    beats: int | None = None
    needed: int | None = None
    error: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """Somebody who is enrolled."""

    name: str
    created_utc: str
    consent_utc: str | None
    templates: int
    grown: int
    beats: int


@dataclass(frozen=True, slots=True)
class PeopleAnswer:
    """Who is enrolled."""

    people: tuple[PersonAnswer, ...]
    sealed: bool


@dataclass(frozen=True, slots=True)
class Description:
    """What answers here.

    Attributes:
        version: of qrsd.
        device: name of the device.
        source: ``simulated`` if no real chip is behind it; its people then have their own gallery.
        schema: version of the messages.
        topics: what can be subscribed to.
        channels: what channels 1 and 2 record; null before the chip is set up.
        model: the model in use.
    """

    version: str
    device: str
    source: Source
    schema: int
    topics: tuple[str, ...]
    channels: tuple[str, str] | None
    model: ModelStatus


Answer: TypeAlias = Done | EnrolmentAnswer | PeopleAnswer | Verdict | Description

ANSWERS: dict[str, type[Answer]] = {
    "enroll": EnrolmentAnswer,
    "enrolment": EnrolmentAnswer,
    "cancel": Done,
    "people": PeopleAnswer,
    "rename": Done,
    "forget": Done,
    "verify": Verdict,
    "describe": Description,
}
