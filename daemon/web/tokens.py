"""Tokens of ``qrsd web``: who may come from another machine, and what each may do.

    tokens    a token a line: NAME SCOPES HASH, with commas between scopes (mode 0600)

A token is 32 random bytes, shown once. Kept is its SHA-256, from which nobody gets it back, and
which needs no salt, since nobody can try out 2^256 tokens.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from config.errors import KeyMissing, KeysError
from config.secret_file import (
    from_hex,
    locked,
    make_private_folder,
    read_private,
    write_private,
)
from daemon.journal import event
from daemon.wire.keys import NAME

Scope: TypeAlias = Literal["live", "people:read", "people:write", "recordings", "control"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
#: What each token begins with, so that people and programs that look for leaks know it as one.
PREFIX = "qrsd-web-"
#: What comes of 32 random bytes; nothing shorter is looked up, so that a weak one is never a token.
SECRET = re.compile(rf"{PREFIX}[\w-]{{43}}", re.A)
MOST_TOKENS = 100
NO_TOKENS = "there are no tokens yet: qrsd keys web-token add NAME"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was given out, as it is kept."""

    name: str  # of whom it was made for
    scopes: frozenset[Scope]
    digest: bytes = field(repr=False)  # SHA-256 of the token


def tokens_path(folder: Path) -> Path:
    """Return the file of the list."""
    return folder / "tokens"


def read_tokens(folder: Path) -> tuple[Token, ...]:
    """Return the tokens that were given out; none if there is no list.

    Raises:
        KeysError: the list is malformed, others may read it, or this user may not.
    """
    path = tokens_path(folder)
    try:
        lines = read_private(path).splitlines()
    except KeyMissing:
        return ()
    return tuple(_token(line, f"{path}:{number}") for number, line in enumerate(lines, start=1))


def add_token(folder: Path, name: str, scopes: Iterable[Scope]) -> str:
    """Make a token, and return it; nobody can do so again.

    Raises:
        KeysError: the name is not valid or another token's, there are too many tokens, or the list
            cannot be read or written.
    """
    if not NAME.fullmatch(name):
        raise KeysError(f"{name!r:.70} is not a token's name: letters, digits, '.', '_' and '-'")
    secret = PREFIX + secrets.token_urlsafe(32)
    make_private_folder(folder)
    with locked(folder, NO_TOKENS):
        tokens = read_tokens(folder)
        if any(token.name == name for token in tokens):
            raise KeysError(f"{name} has a token: qrsd keys web-token revoke {name} first")
        if len(tokens) >= MOST_TOKENS:
            raise KeysError(f"there are {len(tokens)} tokens already: revoke one first")
        _write(folder, [*tokens, Token(name, frozenset(scopes), _digest(secret))])
    return secret


def revoke_token(folder: Path, name: str) -> None:
    """Take a token off the list.

    Raises:
        KeysError: no token has that name, or the list cannot be read or written.
    """
    with locked(folder, NO_TOKENS):
        tokens = read_tokens(folder)
        kept = [token for token in tokens if token.name != name]
        if len(kept) == len(tokens):
            raise KeyMissing(f"no token is called {name!r:.70}; see: qrsd keys web-token list")
        _write(folder, kept)


class TokenList:
    """The list as the server sees it: read anew whenever the file has changed.

    While it cannot be read, no token is valid.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, ...] | None = None  # what tells one version of the file from another
        self._tokens: tuple[Token, ...] = ()

    def of_secret(self, secret: str) -> Token | None:
        """Return what a token is on the list, None if it is not there."""
        return self.of_digest(_digest(secret)) if SECRET.fullmatch(secret) else None

    def of_digest(self, digest: bytes) -> Token | None:
        """Return the token with this digest, in a time that says nothing about the others'."""
        self._look()
        found = [each for each in self._tokens if hmac.compare_digest(each.digest, digest)]
        return found[0] if found else None

    def _look(self) -> None:
        try:
            status = tokens_path(self._folder).stat()
            version: tuple[int, ...] = (
                status.st_ino,
                status.st_mtime_ns,
                status.st_size,
                status.st_mode,
            )
        except OSError:
            version = ()
        if version == self._seen:
            return
        self._seen = version
        try:
            self._tokens = read_tokens(self._folder)
        except KeysError as error:
            self._tokens = ()
            _LOG.error("no token is accepted: %s", error, extra=event("web_tokens_unreadable"))


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("ascii")).digest()


def _write(folder: Path, tokens: Iterable[Token]) -> None:
    lines = (
        f"{token.name} {','.join(sorted(token.scopes))} {token.digest.hex()}\n" for token in tokens
    )
    write_private(tokens_path(folder), "".join(lines))


def _token(line: str, where: str) -> Token:
    words = line.split()
    scopes = (
        frozenset(scope for scope in SCOPES if scope in words[1].split(",")) if words[1:] else ()
    )
    if len(words) != 3 or not NAME.fullmatch(words[0]) or len(scopes) != words[1].count(",") + 1:
        raise KeysError(f"{where}: not NAME SCOPES HASH, with scopes of {', '.join(SCOPES)}")
    return Token(words[0], frozenset(scopes), from_hex(words[2], where))
