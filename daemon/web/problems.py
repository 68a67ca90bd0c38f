"""What a request is answered that cannot be obeyed: a problem by RFC 9457, with a code.

{"type": "about:blank", "title": "Conflict", "status": 409,
 "detail": "'Ada' is being enrolled: wait for it, or cancel.", "code": "busy"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus

from starlette.responses import Response

from daemon.errors import DaemonError
from daemon.wire.errors import CommandRefused, ServiceUnavailable
from model.errors import ModelError, PassportError

MEDIA_TYPE = "application/problem+json"

#: By the code of a refusal; one that is not listed is of the request itself.
STATUSES = {
    "busy": HTTPStatus.CONFLICT,
    "no_enrolment": HTTPStatus.CONFLICT,
    "no_decision": HTTPStatus.CONFLICT,
    "not_recording": HTTPStatus.CONFLICT,
    "person_exists": HTTPStatus.CONFLICT,
    "person_unknown": HTTPStatus.NOT_FOUND,
    "unknown_command": HTTPStatus.NOT_IMPLEMENTED,
    "internal": HTTPStatus.BAD_GATEWAY,
    "gallery_failed": HTTPStatus.SERVICE_UNAVAILABLE,
    "gallery_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "gallery_not_written": HTTPStatus.SERVICE_UNAVAILABLE,
    "gallery_not_swept": HTTPStatus.SERVICE_UNAVAILABLE,
    "gallery_unreadable": HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """Why a request is not obeyed (RFC 9457)."""

    type: str  # about:blank
    title: str  # what the status means
    status: int  # of HTTP
    detail: str  # why, for people
    code: str  # why, for programs


class Problem(Exception):
    """Ends a request with a problem.

    Args:
        status: of HTTP.
        code: for programs.
        detail: for people.
        headers: more of the answer's.
    """

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.code = code
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        title, status = self.status.phrase, int(self.status)
        told = ProblemAnswer("about:blank", title, status, str(self), self.code)
        return Response(json.dumps(asdict(told)), status, self.headers, MEDIA_TYPE)


def problem_of(error: DaemonError | ModelError) -> Problem:
    """Return the problem that tells of an error of ours."""
    match error:
        case PassportError():
            return Problem(503, error.code, str(error))
        case ServiceUnavailable():
            return Problem(503, "service_unavailable", str(error), {"Retry-After": "3"})
        case CommandRefused() | ModelError():
            return Problem(STATUSES.get(error.code, 422), error.code, str(error))
    return Problem(502, error.code, str(error))
