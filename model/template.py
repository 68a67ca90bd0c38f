"""What is kept of an enrolled person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GROWN = "grown"
MOST_BEATS = 1000  # that a template is the mean of
SOURCES = ("ads1292r", "simulated", "recording", GROWN)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A person's heart as a network saw it at one fitting of the electrodes.

    Attributes:
        person: the name.
        embedding: unit vector, shape (d,), float32.
        beats: how many beats it is the mean of.
        created_utc: ISO 8601.
        model_sha256: of the network that made it; to another one it means nothing.
        source: what the beats of an enrolment came from: ``ads1292r``, ``simulated`` or
            ``recording``; ``grown`` if nobody enrolled them, see ``model.fittings``.
    """

    person: str
    embedding: NDArray[np.float32]
    beats: int
    created_utc: str
    model_sha256: str
    source: str


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that is held on somebody.

    Attributes:
        name: unique among the enrolled.
        created_utc: when they were first enrolled, ISO 8601.
        templates: one for each fitting, oldest first.
        consent_utc: when they agreed to that, ISO 8601; None if nobody said so.
    """

    name: str
    created_utc: str
    templates: tuple[Template, ...]
    consent_utc: str | None = None

    @property
    def grown(self) -> int:
        """How many templates were not enrolled but grown."""
        return sum(template.source == GROWN for template in self.templates)
