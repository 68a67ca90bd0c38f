"""What is kept of an enrolled person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GROWN = "grown"
MOST_BEATS = 1000  # that a template is the mean of
SOURCES = ("ads1292r", "simulated", "recording", GROWN)
SAME_COSINE = 0.9999  # at least, of an embedding and itself, turned there and back as float32


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A person's heart as a network saw it at one fitting of the electrodes."""

    person: str  # the name
    embedding: NDArray[np.float32]  # unit vector, shape (d,), float32
    beats: int  # how many beats it is the mean of
    created_utc: str  # ISO 8601
    model_sha256: str  # of the network that made it; to another one it means nothing
    #: what the beats of an enrolment came from: ``ads1292r``, ``simulated`` or ``recording``;
    #: ``grown`` if nobody enrolled them, see ``model.fittings``
    source: str

    def is_again(self, other: Template) -> bool:
        """Tell whether this and a person's ``other`` template are of one and the same fitting."""
        return (
            (self.created_utc, self.model_sha256) == (other.created_utc, other.model_sha256)
            and self.source == other.source
            and len(self.embedding) == len(other.embedding)
            and float(self.embedding @ other.embedding) >= SAME_COSINE
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that is held on somebody."""

    name: str  # unique among the enrolled
    created_utc: str  # when they were first enrolled, ISO 8601
    templates: tuple[Template, ...]  # one for each fitting, oldest first
    consent_utc: str | None = None  # when they first agreed, ISO 8601; None if nobody said so

    @property
    def grown(self) -> int:
        """How many templates were not enrolled but grown."""
        return sum(template.source == GROWN for template in self.templates)

    @property
    def sittings(self) -> tuple[str, ...]:
        """When they were enrolled, ISO 8601, oldest first: the electrodes were put on anew."""
        return tuple(each.created_utc for each in self.templates if each.source != GROWN)

    @property
    def drift(self) -> float | None:
        """How far the newest template is from the oldest of its model: 1 less their cosine.

        None where there is only one.
        """
        *_, newest = self.templates or (None,)
        if newest is None:
            return None
        same = [each for each in self.templates if each.model_sha256 == newest.model_sha256]
        return None if len(same) < 2 else 1 - float(same[0].embedding @ newest.embedding)
