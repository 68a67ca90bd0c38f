"""What a request has to look like before it is looked at who sent it: checks of its head alone.

They keep out what other sites' pages make a visitor's browser send: to this server under another
name (DNS rebinding), or under its own (forged requests, cross-site WebSockets).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.types import Scope as AsgiScope

from daemon.web.exposure import Exposure
from daemon.web.problems import Problem
from daemon.web.routes import API, JSON, MULTIPART, Route
from daemon.web.tokens import PREFIX

#: Headers that mean something here; none may come twice, lest two programs read different ones.
ONCE = {
    "authorization",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "origin",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "transfer-encoding",
    "x-csrf-token",
}
#: What a proxy adds. On loopback it would let everybody in who reaches it.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
IN_URLS = frozenset({"token", "access_token", "authorization", "bearer", "api_key", "csrf"})
SAFE = ("GET", "HEAD", "OPTIONS")
LONGEST_HEAD_BYTES = 16384
MOST_UPLOAD_BYTES = 64 << 20
MOST_NUMBERS_BYTES = 1 << 20  # of a recording in JSON
MOST_OTHER_BYTES = 16384  # of what a few words are asked by, such as a login by nobody knows whom
LENGTH = re.compile(r"\d{1,15}", re.A)


@dataclass(frozen=True, slots=True)
class Head:
    """A request before its body."""

    method: str  # WEBSOCKET for a WebSocket
    path: str
    raw_path: bytes
    query: bytes
    headers: dict[str, str]
    address: str  # of the client

    @classmethod
    def of(cls, scope: AsgiScope) -> Head:
        """Read an ASGI scope.

        Raises:
            Problem: it is too long, or a header is there twice that means something.
        """
        headers: dict[str, str] = {}
        length = len(scope["path"]) + len(scope["query_string"])
        if length + sum(map(len, chain(*scope["headers"]))) > LONGEST_HEAD_BYTES:
            raise Problem(
                431, "head_too_large", f"Address and headers: {LONGEST_HEAD_BYTES} bytes at most."
            )
        for raw_name, raw_value in scope["headers"]:
            name = raw_name.decode("latin-1").lower()
            if name in ONCE and name in headers:
                raise Problem(400, "bad_request", f"The header {name} is there twice.")
            headers[name] = raw_value.decode("latin-1")
        return cls(
            "WEBSOCKET" if scope["type"] == "websocket" else scope["method"],
            scope["path"],
            scope.get("raw_path") or scope["path"].encode(),
            scope["query_string"],
            headers,
            (scope.get("client") or ("",))[0],
        )

    @property
    def changes(self) -> bool:
        """Whether it may change something, by its method."""
        return self.method not in (*SAFE, "WEBSOCKET")

    @property
    def is_of_api(self) -> bool:
        """Whether it is not for the page's files."""
        return self.path == API or self.path.startswith(f"{API}/")

    @property
    def media_type(self) -> str:
        """Return what its content is, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def has_body(self) -> bool:
        """Whether content follows."""
        length = self.headers.get("content-length", "0")
        return "transfer-encoding" in self.headers or length.strip("0") != ""

    def most_bytes(self, route: Route | None) -> int:
        """Return how long its content may be."""
        if route is None or not route.files:
            return MOST_OTHER_BYTES
        return MOST_UPLOAD_BYTES if self.media_type == MULTIPART else MOST_NUMBERS_BYTES


def screen(head: Head, exposure: Exposure, route: Route | None) -> None:
    """Refuse what no program of the user's sends.

    Raises:
        Problem: why not.
    """
    _check_host(head, exposure)
    _check_site(head, exposure)
    _check_url(head)
    _check_content(head, route)


def _check_host(head: Head, exposure: Exposure) -> None:
    host = head.headers.get("host")
    if host is None:
        raise Problem(400, "bad_request", "The header Host is missing.")
    if not exposure.is_ours(host):
        names = ", ".join(exposure.names)
        raise Problem(
            421,
            "wrong_host",
            f"This server is not called so: it answers to {names}, port {exposure.port}.",
        )
    if exposure.kind == "loopback" and any(name in head.headers for name in FORWARDED):
        raise Problem(
            421,
            "behind_proxy",
            "A proxy sends this to the address without a password, which is for this machine "
            "alone: set web.address to another one, which asks for a token.",
        )


def _check_site(head: Head, exposure: Exposure) -> None:
    """Refuse other sites' pages; without these headers, it is no browser, or an old one's GET."""
    origin = head.headers.get("origin")
    if origin is not None and not exposure.is_our_origin(origin, head.headers["host"]):
        raise Problem(403, "other_origin", "A page of another site may not send this.")
    site = head.headers.get("sec-fetch-site", "none")
    if site in ("same-origin", "none"):
        return
    visits = (head.headers.get("sec-fetch-mode"), head.headers.get("sec-fetch-dest"))
    if head.method == "GET" and not head.is_of_api and visits == ("navigate", "document"):
        return  # somebody follows a link to the page
    raise Problem(403, "other_origin", "A page of another site may not send this.")


def _check_url(head: Head) -> None:
    secret = PREFIX.encode()
    given = {name.lower() for name, _ in parse_qsl(head.query.decode("latin-1"), True)}
    if given & IN_URLS or secret in unquote_to_bytes(head.raw_path + b"?" + head.query):
        raise Problem(
            400,
            "token_in_url",
            "A token does not belong in an address, which histories and logs keep: send it in the "
            "header Authorization, and revoke this one.",
        )


def _check_content(head: Head, route: Route | None) -> None:
    length = head.headers.get("content-length", "0")
    if not LENGTH.fullmatch(length) or (
        "content-length" in head.headers and "transfer-encoding" in head.headers
    ):
        raise Problem(400, "bad_request", "The length of the content is not clear.")
    most_bytes = head.most_bytes(route)
    if int(length) > most_bytes:
        raise too_large(most_bytes)
    if not head.changes:
        return
    taken = (JSON, MULTIPART) if route and route.files else (JSON,)
    if (head.has_body or head.media_type) and head.media_type not in taken:
        raise Problem(415, "media_type", f"The content has to be {' or '.join(taken)}.")


def too_large(most_bytes: int) -> Problem:
    """Return the refusal of content that is too long."""
    return Problem(413, "too_large", f"The content has more than {most_bytes} bytes.")
