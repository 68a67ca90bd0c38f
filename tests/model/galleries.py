"""Templates to be put into galleries, and a look at who is in there."""

from __future__ import annotations

from model.gallery import Gallery
from model.template import Template
from tests.model.models import towards

MODEL, OTHER_MODEL = "a" * 64, "b" * 64
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def template(person: str, *components: float, model: str = MODEL, at: str = NOW) -> Template:
    return Template(person, towards(*(components or (1.0, 2.0, 3.0))), 16, at, model, "simulated")


def names(gallery: Gallery) -> list[str]:
    return [person.name for person in gallery.people()]
