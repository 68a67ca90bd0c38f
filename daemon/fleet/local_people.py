"""The people who are enrolled on this device, by its service's control socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from config.folders import control_address
from config.typed_json import typed
from daemon.wire.answers import PersonAnswer
from daemon.wire.client import Control
from daemon.wire.errors import CommandRefused, MessageError
from dsp.front_end import CHAIN_VERSION
from model.errors import ExportInvalid
from model.people_file import from_values, to_json
from model.template import GROWN, Person

ANSWER_S = 10.0  # a slow card may take seconds to erase


@dataclass(frozen=True, slots=True)
class Kind:
    """What templates of a device are of, those of other kinds mean nothing to it."""

    simulated: bool
    model_sha256: str
    chain: int = CHAIN_VERSION


class LocalPeople:
    """Asks the service; each method may take seconds, and raises a ``DaemonError``."""

    def __init__(self, address: Callable[[], str] = control_address) -> None:
        self._address = address

    def state(self) -> tuple[Kind, str]:
        """Return what the service's templates are of, and the version of who is enrolled."""
        said = self._ask("describe")
        try:
            model = typed(dict[str, Any], said.get("model"), "model")
            kind = Kind(said.get("source") == "simulated", typed(str, model.get("sha256"), "model"))
            return kind, typed(str, said.get("people_version"), "people_version")
        except ValueError as error:
            raise MessageError(f"The service is another version of qrsd: {error}.") from error

    def people(self) -> dict[str, PersonAnswer]:
        """Return who is enrolled, by name."""
        try:
            people = typed(tuple[PersonAnswer, ...], self._ask("people").get("people"), "people")
        except ValueError as error:
            raise MessageError(f"The service is another version of qrsd: {error}.") from error
        return {person.name: person for person in people}

    def export(self, name: str, kind: Kind) -> Person:
        """Return a person with the sittings that are of a kind; grown templates are the device's.

        Raises:
            CommandRefused: nobody is called that.
        """
        said = self._ask("export", person=name)
        try:
            [person] = from_values(said, "the service's export")
        except (ExportInvalid, ValueError) as error:
            raise MessageError(f"The service is another version of qrsd: {error}.") from error
        sittings = (each for each in person.templates if each.source != GROWN)
        ours = tuple(each for each in sittings if each.model_sha256 == kind.model_sha256)
        return replace(person, templates=ours)

    def merge(self, person: Person) -> None:
        """Add sittings of a person.

        Raises:
            CommandRefused: they are somebody else's, or the name is like another one's.
        """
        self._ask("merge", **to_json([person]))

    def forget(self, name: str) -> None:
        """Erase everything that is held on a person, if it is anybody."""
        try:
            self._ask("forget", person=name)
        except CommandRefused as refusal:
            if refusal.code != "person_unknown":
                raise

    def _ask(self, command: str, **fields: object) -> dict[str, Any]:
        with Control(self._address(), ANSWER_S) as control:
            return control.request(command, **fields)
