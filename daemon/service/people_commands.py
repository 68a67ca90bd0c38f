"""The commands on people: enrol, list, rename and forget them while the service runs.

``open``, ``attend`` and ``refresh`` are called by the service. Each other public method is a
command of the control socket: its parameters are the fields of the request, and it returns the
answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import Any

from daemon.journal import event
from daemon.wire.answers import (
    Done,
    EnrolmentAnswer,
    ExportAnswer,
    PeopleAnswer,
    PersonAnswer,
)
from daemon.wire.control import Command
from daemon.wire.errors import CommandRefused
from daemon.wire.messages import Source
from model.enrolment import Enrolment, check_same_person
from model.errors import ForeignTemplate, GalleryError, ModelError, PersonUnknown
from model.fittings import grow
from model.gallery import Gallery
from model.names import check_name, composed, looks
from model.passport import Passport
from model.people_file import from_values, to_json
from model.recogniser import Recogniser
from model.template import Template

ENROL_BEATS = 20
MOST_MERGED = 100  # people and templates; each is compared with all, while no sample is taken
NO_ENROLMENT = EnrolmentAnswer("none")

_LOG = logging.getLogger(__name__)


class PeopleCommands:
    """Changes the gallery, and the people that the recogniser decides among with it.

    Args:
        gallery: the enrolled people.
        passport: of the model in use.
        recogniser: decides among them, and gathers the beats of an enrolment.
        source: what these beats come from.
        now_utc: returns the time, ISO 8601.
        grown_templates: how many templates a person may gain without enrolments.

    Attributes:
        version: another one after each change of who is enrolled.
    """

    def __init__(
        self,
        gallery: Gallery,
        passport: Passport,
        recogniser: Recogniser,
        source: Source,
        now_utc: Callable[[], str],
        *,
        grown_templates: int = 0,
    ) -> None:
        self._gallery = gallery
        self._passport = passport
        self._recogniser = recogniser
        self._source = source
        self._now_utc = now_utc
        self._grown_templates = grown_templates
        self._outcome = NO_ENROLMENT
        self._consent_utc: str | None = None
        self._stale = False
        self._trouble = ""
        self.version = token_hex(4)

    @property
    def commands(self) -> dict[str, Command]:
        """The commands by their names in requests."""
        names = (
            *("enroll", "enrolment", "cancel", "people"),
            *("rename", "forget", "export", "merge"),
        )
        return {name: getattr(self, name) for name in names}

    def attend(self) -> None:
        """Store an enrolment that has its beats, or keep why it failed."""
        enrolment = self._recogniser.enrolment
        if enrolment is None:
            self._learn_fitting()
            return
        if not enrolment.ended:
            return
        self._recogniser.enrolment = None
        told = partial(EnrolmentAnswer, person=enrolment.person, needed=enrolment.needed)
        try:
            template = enrolment.template(self._now_utc(), self._source)
            check_same_person(template, self._templates(), self._passport)
            self._gallery.enrol(template, consent_utc=self._consent_utc)
        except ModelError as error:
            self._outcome = told("failed", beats=0, error=str(error), code=error.code)
            _LOG.warning(
                "an enrolment failed: %s",
                error.code,
                extra=event("enrolment_failed", error=error.code),
            )
        else:
            self._outcome = told("done", beats=enrolment.beats)
            self._tell_recogniser()
            _LOG.info("somebody was enrolled", extra=event("enrolled"))

    def _learn_fitting(self) -> None:
        """Add a template of this session to its sure person, if the settings ask for it."""
        if not self._grown_templates or self._passport.kind == "classifier":
            return
        beats = self._recogniser.session.take()
        if beats is None:
            return
        try:
            templates = self._templates()
            grown = grow(beats, templates, self._passport, self._now_utc())
            if grown is None:
                return
            self._gallery.grow(grown, self._grown_templates)
        except GalleryError as error:
            _LOG.warning(
                "a session could not be kept: %s",
                error.code,
                extra=event("session_not_kept", error=error.code),
            )
            return
        self._tell_recogniser()
        _LOG.info("a template was grown", extra=event("template_grown"))

    def open(self) -> None:
        """Log whether the gallery is sealed, and how many people the model in use cannot know."""
        if self._gallery.sealed:
            _LOG.info("the gallery is sealed", extra=event("gallery_sealed"))
        else:
            _LOG.warning(
                "the gallery is not sealed: see qrsd people seal --help",
                extra=event("gallery_not_sealed"),
            )
        for record in self._gallery.set_aside:
            _LOG.warning(
                "a damaged record of the gallery was set aside: %s",
                record,
                extra=event("record_set_aside"),
            )
        people = self._gallery.unknown_to(self._passport.sha256)
        if people and self._passport.kind == "embedder":
            _LOG.warning(
                "people who were enrolled with another model only: %d; to be recognised they have "
                "to be enrolled again",
                len(people),
                extra=event("unknown_to_model", people=len(people)),
            )

    def refresh(self) -> None:
        """Reload the people if another program changed them, as ``qrsd people import`` does."""
        try:
            self._stale |= self._gallery.changed_elsewhere()
            if self._stale:
                templates = self._templates()
                self._recogniser.use_templates(templates)
                self.version = token_hex(4)
                self._stale = False
            self._trouble = ""
        except GalleryError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                _LOG.warning(
                    "the gallery cannot be read now: %s",
                    error,
                    extra=event("gallery_unreadable", error=error.code),
                )

    def enroll(
        self, person: str, beats: int = ENROL_BEATS, consent: bool = False
    ) -> EnrolmentAnswer:
        """Begin to enrol the wearer of the electrodes; ``consent``: the person has agreed."""
        if self._recogniser.enrolment is not None:
            raise CommandRefused(
                f"{self._recogniser.enrolment.person!r} is being enrolled: wait for it, or cancel.",
                "busy",
            )
        self.refresh()
        if self._trouble:  # and not after twenty beats
            raise CommandRefused(f"Nobody can be enrolled now: {self._trouble}", "gallery_failed")
        enrolment = Enrolment(person, self._passport, beats)
        self._gallery.check_free(enrolment.person)
        self._recogniser.enrol(enrolment)
        self._consent_utc = self._now_utc() if consent else None
        return self.enrolment()

    def enrolment(self) -> EnrolmentAnswer:
        """Report how the enrolment goes, or how the last one ended."""
        enrolment = self._recogniser.enrolment
        if enrolment is None:
            return self._outcome
        return EnrolmentAnswer("gathering", enrolment.person, enrolment.beats, enrolment.needed)

    def cancel(self) -> Done:
        """Cancel the enrolment."""
        if self._recogniser.enrolment is None:
            raise CommandRefused("Nobody is being enrolled.", "no_enrolment")
        self._recogniser.enrolment = None
        self._outcome = NO_ENROLMENT
        return Done()

    def people(self) -> PeopleAnswer:
        """List who is enrolled."""
        return PeopleAnswer(
            tuple(map(PersonAnswer.of, self._gallery.people())), self._gallery.sealed
        )

    def rename(self, person: str, new_name: str) -> Done:
        """Rename a person."""
        person, new_name = composed(person), check_name(new_name)
        enrolment = self._recogniser.enrolment
        if enrolment is not None and looks(enrolment.person) == looks(new_name) != looks(person):
            raise CommandRefused(
                f"{enrolment.person!r} is being enrolled: take another name, or cancel that.",
                "busy",
            )
        try:
            self._gallery.rename(person, new_name)
        finally:  # it may be done, and traces of it left
            self._tell_recogniser()
        if enrolment is not None and enrolment.person == person:
            enrolment.person = new_name
        if self._outcome.person == person:
            self._outcome = replace(self._outcome, person=new_name)
        return Done()

    def forget(self, person: str) -> Done:
        """Erase everything that is held on a person, be it only the beats of a first enrolment."""
        person = composed(person)
        being_enrolled = self._forget_enrolment(person)
        try:
            self._gallery.forget(person)
        except PersonUnknown:
            if not being_enrolled:
                raise
        finally:  # it may be done, and traces of it left
            self._tell_recogniser()
        return Done()

    def export(self, person: str) -> ExportAnswer:
        """Return everything that is held on a person, the templates too."""
        person = composed(person)
        found = [each for each in self._gallery.people() if each.name == person]
        if not found:
            raise PersonUnknown(f"nobody called {person!r:.80} is enrolled")
        return ExportAnswer(**to_json(found))

    def merge(self, format: str, schema: int, people: tuple[Any, ...]) -> Done:
        """Add the fittings of people that are not here yet, as another device exported them."""
        passport = self._passport
        numbers_of = {passport.sha256: passport.tensors.outputs}
        exported = {"format": format, "schema": schema, "people": list(people)}
        merged = from_values(exported, "merge", numbers_of)
        templates = [template for person in merged for template in person.templates]
        if len(merged) + len(templates) > MOST_MERGED:
            raise CommandRefused(
                f"merge: {len(merged)} people with {len(templates)} templates, {MOST_MERGED} of "
                "both at once are the most."
            )
        known = self._templates()
        for template in templates:
            if template.model_sha256 != passport.sha256:
                raise ForeignTemplate(
                    f"a template of {template.person!r} was made by model "
                    f"{template.model_sha256:.12}, and this device has {passport.sha256:.12}"
                )
            check_same_person(self._gallery.turned(template), known, passport)
        try:
            self._gallery.merge(merged)
        finally:
            self._tell_recogniser()
        return Done()

    def _forget_enrolment(self, person: str) -> bool:
        """Cancel a person's enrolment if it is under way; forget its outcome if it was the last.

        Returns:
            Whether one was under way.
        """
        enrolment = self._recogniser.enrolment
        under_way = enrolment is not None and enrolment.person == person
        if under_way:
            self._recogniser.enrolment = None
        if under_way or self._outcome.person == person:
            self._outcome = NO_ENROLMENT
        return under_way

    def _templates(self) -> list[Template]:
        """Return the templates of all people that the model in use can compare."""
        return self._gallery.templates(self._passport.sha256, self._passport.tensors.outputs)

    def _tell_recogniser(self) -> None:
        """Have the recogniser decide among those enrolled now, or as soon as they can be read."""
        self._stale = True
        self.refresh()
