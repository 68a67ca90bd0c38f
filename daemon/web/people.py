"""Who is enrolled, and what becomes of them: the service does it, and keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from daemon.web.context import context_of
from daemon.web.problems import Problem
from daemon.web.routes import API, Route
from daemon.wire.answers import EnrolmentAnswer, ExportAnswer, PeopleAnswer

ENROLMENT = "/enrolment"
ERASE_S = 15.0  # a slow card may take seconds to erase


@dataclass(frozen=True, slots=True)
class NewName:
    """What somebody is to be called."""

    to: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Says once more what is to be erased."""

    confirm: str  # its name, as in the address


@dataclass(frozen=True, slots=True)
class Enrol:
    """Whom to enrol."""

    person: str  # a name
    consent: bool = False  # whether the person agrees, without which nobody is enrolled
    beats: int | None = None  # good heartbeats to gather; null for as many as is usual


def check_confirmed(given: Confirmation, name: str) -> None:
    """Refuse what does not say the name of what is to be erased.

    Raises:
        Problem: it does not.
    """
    if given.confirm != name:
        raise Problem(422, "not_confirmed", "confirm: has to be the name that is to be erased.")


async def people(request: Request, _: None) -> dict[str, Any]:
    """List who is enrolled."""
    return await context_of(request).service.request("people")


async def rename(request: Request, asked: NewName) -> None:
    """Rename somebody."""
    service, name = context_of(request).service, request.path_params["name"]
    await service.request("rename", person=name, new_name=asked.to)


async def forget(request: Request, asked: Confirmation) -> None:
    """Erase somebody."""
    name = request.path_params["name"]
    check_confirmed(asked, name)
    await context_of(request).service.request("forget", timeout_s=ERASE_S, person=name)


async def export(request: Request, _: None) -> Response:
    """Answer with all that is held on somebody, as a file."""
    name = request.path_params["name"]
    held = await context_of(request).service.request("export", person=name)
    file = f"attachment; filename*=UTF-8''{quote(name, safe='')}.json"
    return JSONResponse(held, headers={"Content-Disposition": file})


async def enrol(request: Request, asked: Enrol) -> Response:
    """Begin to enrol whoever wears the electrodes."""
    if not asked.consent:
        told = "consent: nobody is enrolled who has not agreed to it; set it to true."
        raise Problem(422, "no_consent", told)
    beats = {} if asked.beats is None else {"beats": asked.beats}
    service = context_of(request).service
    begun = await service.request("enroll", person=asked.person, consent=True, **beats)
    return JSONResponse(begun, 202, {"Location": f"{API}{ENROLMENT}"})


async def enrolment(request: Request, _: None) -> dict[str, Any]:
    """Say how the enrolment goes."""
    return await context_of(request).service.request("enrolment")


async def cancel(request: Request, _: None) -> None:
    """Cancel the enrolment."""
    await context_of(request).service.request("cancel")


PERSON = "/people/{name}"
ROUTES = (
    Route("GET", "/people", people, "people:read", "List who is enrolled", answer=PeopleAnswer),
    Route(
        "POST", f"{PERSON}/rename", rename, "people:write", "Rename a person",
        body=NewName, status=204,
    ),
    Route(
        "DELETE", PERSON, forget, "people:write", "Erase all that is held on a person",
        body=Confirmation, status=204,
    ),
    # Not for who may only read names: with the templates somebody can be looked for elsewhere.
    Route(
        "GET", f"{PERSON}/export", export, "people:write", "Get all that is held on a person",
        answer=ExportAnswer,
    ),
    Route(
        "POST", ENROLMENT, enrol, "people:write", "Enrol whoever wears the electrodes",
        body=Enrol, answer=EnrolmentAnswer, status=202,
    ),
    Route(
        "GET", ENROLMENT, enrolment, "people:write", "Say how the enrolment goes",
        answer=EnrolmentAnswer,
    ),
    Route("DELETE", ENROLMENT, cancel, "people:write", "Cancel the enrolment", status=204),
)  # fmt: skip
