"""What the control socket answers to each command, besides ``ok``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from daemon.wire.status import ModelStatus


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
    """How the enrolment goes, or how the last one ended; ``state`` alone if there was none.

    Attributes:
        error: why it failed, for people.
        code: why it failed, for programs.
    """

    state: Literal["none", "gathering", "done", "failed"]
    person: str = ""
    beats: int = 0
    needed: int = 0
    error: str = ""
    code: str = ""


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
class VerdictAnswer:
    """Whether two recordings are one person's; all but ``beats`` null if it cannot be said."""

    same: bool | None
    score: float | None
    ln_likelihood_ratio: float | None
    probability: float | None
    beats: int


@dataclass(frozen=True, slots=True)
class Description:
    """What answers here.

    Attributes:
        version: of qrsd.
        device: name of the device.
        schema: version of the messages.
        topics: what can be subscribed to.
        channels: what channels 1 and 2 record; null before the chip is set up.
        model: the model in use.
    """

    version: str
    device: str
    schema: int
    topics: tuple[str, ...]
    channels: tuple[str, str] | None
    model: ModelStatus


ANSWERS: dict[str, type[Any]] = {
    "enroll": EnrolmentAnswer,
    "enrolment": EnrolmentAnswer,
    "cancel": Done,
    "people": PeopleAnswer,
    "rename": Done,
    "forget": Done,
    "verify": VerdictAnswer,
    "describe": Description,
}
