"""Tokens: shown once, kept as a hash in a private file, revoked at once."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

import pytest

from config.errors import KeyMissing, KeyNotPrivate, KeysError
from daemon.web.tokens import (
    MOST_TOKENS,
    SCOPES,
    TokenList,
    add_token,
    read_tokens,
    revoke_token,
    tokens_path,
)


def test_a_token_is_nowhere_on_the_disk_but_its_hash(tmp_path: Path) -> None:
    secret = add_token(tmp_path, "tablet", ["live", "people:read"])
    kept = tokens_path(tmp_path).read_text()
    assert secret not in kept
    assert hashlib.sha256(secret.encode()).hexdigest() in kept
    assert tokens_path(tmp_path).stat().st_mode & 0o777 == 0o600
    assert secret not in repr(read_tokens(tmp_path))


def test_tokens_have_the_entropy_that_makes_a_plain_hash_enough(tmp_path: Path) -> None:
    secrets = {add_token(tmp_path, f"t{n}", ["live"]) for n in range(20)}
    assert len(secrets) == 20
    assert min(len(secret.removeprefix("qrsd-web-")) for secret in secrets) * 6 >= 256


def test_a_token_is_valid_until_it_is_revoked_and_for_its_scopes(tmp_path: Path) -> None:
    kept = TokenList(tmp_path)
    assert kept.of_secret("qrsd-web-x") is None
    secret = add_token(tmp_path, "tablet", ["people:read", "live"])
    found = kept.of_secret(secret)
    assert found is not None
    assert (found.name, found.scopes) == ("tablet", {"live", "people:read"})
    other = add_token(tmp_path, "phone", SCOPES)
    revoke_token(tmp_path, "tablet")
    assert kept.of_secret(secret) is None
    assert kept.of_digest(found.digest) is None
    assert kept.of_secret(other) is not None


@pytest.mark.parametrize("guess", ["", "qrsd-web-", "x" * 10_000_000, "\udcff\udcfe", "é"])
def test_what_is_no_token_is_none(tmp_path: Path, guess: str) -> None:
    add_token(tmp_path, "tablet", SCOPES)
    assert TokenList(tmp_path).of_secret(guess) is None


def test_a_weak_token_that_somebody_wrote_into_the_list_is_none(tmp_path: Path) -> None:
    add_token(tmp_path, "tablet", SCOPES)
    digest = hashlib.sha256(b"qrsd-web-hunter2").hexdigest()
    with tokens_path(tmp_path).open("a") as file:
        file.write(f"weak live {digest}\n")
    assert len(read_tokens(tmp_path)) == 2
    assert TokenList(tmp_path).of_secret("qrsd-web-hunter2") is None


@pytest.mark.parametrize("spoiled", ["tablet", "tablet live 12", "tablet root " + "0" * 64, "\x00"])
def test_nobody_gets_in_by_a_list_that_is_damaged(tmp_path: Path, spoiled: str) -> None:
    secret = add_token(tmp_path, "tablet", ["live"])
    kept = TokenList(tmp_path)
    assert kept.of_secret(secret) is not None
    with tokens_path(tmp_path).open("a") as file:
        file.write(spoiled + "\n")
    with pytest.raises(KeysError, match=r"tokens:2: not NAME SCOPES HASH|not a key"):
        read_tokens(tmp_path)
    assert kept.of_secret(secret) is None


def test_nobody_gets_in_by_a_list_that_others_may_read(tmp_path: Path) -> None:
    secret = add_token(tmp_path, "tablet", ["live"])
    kept = TokenList(tmp_path)
    os.chmod(tokens_path(tmp_path), 0o640)
    with pytest.raises(KeyNotPrivate, match="others may use this key"):
        read_tokens(tmp_path)
    assert kept.of_secret(secret) is None
    os.chmod(tokens_path(tmp_path), 0o600)
    assert kept.of_secret(secret) is not None


@pytest.mark.parametrize("name", ["", "-x", "a b", "a\nb root", "../x", "x" * 65])
def test_a_name_cannot_forge_a_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeysError, match="is not a token's name"):
        add_token(tmp_path, name, ["live"])
    assert read_tokens(tmp_path) == ()


def test_a_name_is_one_tokens_and_there_are_not_too_many(tmp_path: Path) -> None:
    for number in range(MOST_TOKENS):
        add_token(tmp_path, "n" * 60 + f"{number:03}", SCOPES)
    assert len(read_tokens(tmp_path)) == MOST_TOKENS
    with pytest.raises(KeysError, match="has a token"):
        add_token(tmp_path, "n" * 60 + "007", ["live"])
    with pytest.raises(KeysError, match="there are 100 tokens already"):
        add_token(tmp_path, "one-more", ["live"])
    with pytest.raises(KeyMissing, match="no token is called"):
        revoke_token(tmp_path, "nobody")


def test_a_guess_is_compared_with_every_token_and_in_constant_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = [add_token(tmp_path, name, ["live"]) for name in ("a", "b", "c")]
    kept = TokenList(tmp_path)
    compared: list[bytes] = []
    constant_time = hmac.compare_digest

    def compare(ours: bytes, theirs: bytes) -> bool:
        compared.append(theirs)
        return constant_time(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for guess in (
        first,
        first[:-1] + ("a" if first[-1] != "a" else "b"),
        f"{first[:-43]}{'x' * 43}",
    ):
        compared.clear()
        kept.of_secret(guess)
        assert compared == [hashlib.sha256(guess.encode()).digest()] * 3
