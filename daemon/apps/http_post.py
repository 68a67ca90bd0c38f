"""Posts to servers that may be slow, dead or unwilling; what goes wrong is told without secrets.

Redirects are not followed: they would have the body and the secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from daemon.terminal import plain

STEP_S = 10.0  # for each step of an attempt: to connect, to read
LONGEST_REASON = 200
ELSEWHERE = range(300, 400)


class NotSent(Exception):
    """An attempt failed; the message says why, as what the server did, and holds no secret."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post something; an answer counts by its status, and is not read further.

    Raises:
        NotSent: it is not known to have arrived.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    given = {"User-Agent": "qrsd", "Connection": "close", **headers}
    with explained(), closing(_connection(parts.scheme, parts.hostname, parts.port)) as connection:
        connection.request("POST", target, body, given)
        status = connection.getresponse().status
    if status in ELSEWHERE:
        raise NotSent(f"points to another address, to which nothing is sent (HTTP {status})")
    if not 200 <= status < 300:
        raise NotSent(f"does not take it (HTTP {status})")


def _connection(scheme: str, host: str | None, port: int | None) -> HTTPConnection:
    if scheme == "http":
        return HTTPConnection(host or "", port, timeout=STEP_S)
    authorities = ssl.create_default_context()  # the system's
    return HTTPSConnection(host or "", port, timeout=STEP_S, context=authorities)


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the network into what may be logged."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise NotSent(f"cannot prove who it is: {error.verify_message}") from error
    except TimeoutError as error:
        raise NotSent(f"has not answered within {STEP_S:g} s") from error
    except HTTPException as error:
        raise NotSent(f"broke off, or speaks another protocol ({type(error).__name__})") from error
    except OSError as error:
        reason = plain(error.strerror or type(error).__name__)[:LONGEST_REASON]
        raise NotSent(f"cannot be reached: {reason}") from error
