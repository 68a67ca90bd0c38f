"""Key files are for their owner only, and the list of clients says what is wrong with it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zmq
from zmq.utils import z85

from config.errors import KeyMissing, KeyNotPrivate, KeyNotWritten, KeysError
from daemon.commands.exit_codes import exit_code
from daemon.wire.keys import (
    SERVICE_COMMENT,
    Client,
    ClientKeys,
    KeyPair,
    Right,
    allow,
    clients_path,
    read_clients,
    revoke,
    service_key_path,
)

KEY, OTHER_KEY = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    KeyPair.new().write(service_key_path(tmp_path / "keys"), SERVICE_COMMENT)
    return tmp_path / "keys"


def client(name: str = "laptop", right: Right = "listen", key: bytes = KEY) -> Client:
    return Client(name, right, key)


def test_what_is_written_is_read_and_belongs_to_its_owner_only(keys: Path) -> None:
    path = keys / "another.key"
    pair = KeyPair.new()
    pair.write(path, "a comment")
    assert KeyPair.read(path) == pair
    assert z85.encode(pair.public) == zmq.curve_public(z85.encode(pair.secret))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700


def test_a_secret_is_not_shown() -> None:
    pair = KeyPair.new()
    assert pair.secret.hex() not in repr(pair)
    assert repr(pair.secret) not in repr(pair)


def test_a_key_is_never_written_over(keys: Path) -> None:
    with pytest.raises(KeyNotWritten, match="there is a key already"):
        KeyPair.new().write(service_key_path(keys), SERVICE_COMMENT)


def test_a_key_that_others_may_read_is_refused(keys: Path) -> None:
    service_key_path(keys).chmod(0o640)
    with pytest.raises(KeyNotPrivate, match=r"mode 0640\): chmod 600") as caught:
        KeyPair.read(service_key_path(keys))
    assert exit_code(caught.value) == 77


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"12ab", b"x" * 64, b"\xff" * 32])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeysError, match=r"some\.key: not a key") as caught:
        KeyPair.read(path)
    assert "xxx" not in str(caught.value)


def test_no_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match=r"no\.key: no such key file"):
        KeyPair.read(tmp_path / "no.key")


def test_a_clients_keys_are_its_file_and_the_services_public_half(keys: Path) -> None:
    own = service_key_path(keys)
    assert ClientKeys.read(own, KEY.hex()).service == KEY
    with pytest.raises(KeysError, match="the service's key: not a key, which has 64"):
        ClientKeys.read(own, "abc")


def test_clients_are_allowed_and_revoked(keys: Path) -> None:
    assert read_clients(keys) == ()
    allow(keys, client())
    allow(keys, client("screen", "control", OTHER_KEY))
    allow(keys, client(right="control"))
    assert set(read_clients(keys)) == {
        client(right="control"),
        client("screen", "control", OTHER_KEY),
    }
    assert stat.S_IMODE(clients_path(keys).stat().st_mode) == 0o600
    revoke(keys, "laptop")
    assert [each.name for each in read_clients(keys)] == ["screen"]
    with pytest.raises(KeyMissing, match="no client is called 'laptop'"):
        revoke(keys, "laptop")


def test_whoever_is_revoked_while_others_are_let_in_stays_out(keys: Path) -> None:
    """Each change reads the list and writes it back: in between, nobody else may."""
    names = [f"client{n}" for n in range(16)]
    for n, name in enumerate(names):
        allow(keys, client(name, key=bytes([n] * 32)))
    with ThreadPoolExecutor(16) as at_once:
        for n in range(16):
            at_once.submit(allow, keys, client(f"new{n}", key=bytes([100 + n] * 32)))
            at_once.submit(revoke, keys, names[n])
    assert {each.name for each in read_clients(keys)} == {f"new{n}" for n in range(16)}


@pytest.mark.parametrize("name", ["", "two words", "-x", "a/b", "ü", "x" * 65])
def test_what_is_no_name_is_refused(keys: Path, name: str) -> None:
    with pytest.raises(KeysError, match="is not a client's name"):
        allow(keys, client(name))


@pytest.mark.parametrize("other", [client("laptop", key=OTHER_KEY), client("screen", key=KEY)])
def test_nobody_takes_the_name_or_the_key_of_another(keys: Path, other: Client) -> None:
    allow(keys, client())
    with pytest.raises(KeysError, match="laptop has that name or that key"):
        allow(keys, other)


def test_nobody_is_let_in_before_the_service_has_a_key(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="the service has no key yet: qrsd keys new"):
        allow(tmp_path, client())


@pytest.mark.parametrize(
    "line", ["laptop listen", "laptop own " + KEY.hex(), "a/b listen " + KEY.hex(), "l listen 12"]
)
def test_a_line_that_is_none_is_named(keys: Path, line: str) -> None:
    allow(keys, client())
    clients_path(keys).write_text(f"{clients_path(keys).read_text()}{line}\n")
    with pytest.raises(KeysError, match="clients:2: not"):
        read_clients(keys)


def test_where_nothing_can_be_written_is_named() -> None:
    with pytest.raises(KeyNotWritten, match="/proc/none: cannot be written: No such file"):
        KeyPair.new().write(Path("/proc/none/x.key"), "")
