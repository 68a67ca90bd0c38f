"""The folder of the server's machine from which sites and devices get their keys.

nats-server.conf              made once, yours to change
accounts.conf                 sites, devices and what they may do; holds no secret
<site>/authority.seed         vouches for devices; whoever has it can make some
<site>/site.key               opens what the site's devices tell each other of people
<site>/devices                a device a line: NAME PUBLIC
<site>/<device>.credentials   to be carried to the device, with the site's key
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import nkeys

from config.errors import KeyMissing, KeyNotWritten, KeysError
from config.mqtt import LEVEL
from config.secret_file import (
    SECRET_BYTES,
    locked,
    read_private,
    write_private,
    write_secret,
)
from daemon.fleet.credentials import OPERATOR, Credentials, new_seed, pair_of
from daemon.fleet.server_config import ACCOUNTS, SERVER, accounts
from model.regular_file import read_regular

LONGEST_LIST = 1 << 22  # bytes of a site's devices, of which each has some 70
COMMENT = "Opens what the devices of a site tell each other of people, for qrsd's fleet."


def site_key_path(folder: Path, site: str) -> Path:
    """Return the file of a site's key."""
    return folder / site / "site.key"


def credentials_path(folder: Path, site: str, device: str) -> Path:
    """Return the file of a device's credentials."""
    return folder / site / f"{device}.credentials"


def only_site(folder: Path) -> str:
    """Return the site that is meant where none is named.

    Raises:
        KeyMissing: there is none, or several.
    """
    sites = _sites(folder)
    if len(sites) != 1:
        there = f"several: {', '.join(sites)}; say which with --site" if sites else "none"
        raise KeyMissing(f"{folder}: of sites there are {there}; see qrsd keys fleet-site --help")
    return sites[0]


def make_site(folder: Path, site: str) -> None:
    """Make a site's key, its authority and its operator.

    Raises:
        KeysError: the name will not do, there is such a site, or the system refuses to write.
    """
    _check_name(site)
    write_secret(site_key_path(folder, site), secrets.token_bytes(SECRET_BYTES), COMMENT)
    write_private(folder / site / "authority.seed", new_seed(nkeys.PREFIX_BYTE_ACCOUNT) + "\n")
    folder.chmod(0o755)  # nats-server is another user; what is secret is in the site's folder
    _write_devices(folder, site, [])
    add_device(folder, site, OPERATOR)
    if not (config := folder / "nats-server.conf").exists():
        _write_public(config, SERVER.replace("FOLDER", str(folder)))


def add_device(folder: Path, site: str, device: str) -> None:
    """Make a device's credentials, and tell the server's configuration of it.

    Raises:
        KeysError: the name will not do, or is taken, or there is no such site.
    """
    _check_name(device)
    with locked(folder, f"no site yet: qrsd keys fleet-site {site}"):
        devices = read_devices(folder, site)
        if any(device == name for name, _ in devices):
            raise KeysError(f"{device} is a device of {site}: qrsd fleet shut-out it first")
        authority = pair_of(read_private(folder / site / "authority.seed").strip())
        credentials = Credentials.new(site, device, authority)
        write_private(credentials_path(folder, site, device), credentials.text)
        _write_devices(folder, site, [*devices, (device, credentials.public)])
        _write_accounts(folder)


def shut_out(folder: Path, site: str, device: str) -> None:
    """Take a device off the list, and out of the server's configuration.

    Raises:
        KeyMissing: there is no such device.
    """
    with locked(folder, f"no site yet: qrsd keys fleet-site {site}"):
        devices = read_devices(folder, site)
        kept = [each for each in devices if each[0] != device]
        if len(kept) == len(devices):
            raise KeyMissing(f"{device}: no such device of {site}; see {folder / site / 'devices'}")
        credentials_path(folder, site, device).unlink(missing_ok=True)
        _write_devices(folder, site, kept)
        _write_accounts(folder)


def read_devices(folder: Path, site: str) -> list[tuple[str, str]]:
    """Return the devices of a site by name and public NKey, or raise a ``KeysError``."""
    path = folder / site / "devices"
    try:  # not as a key, which is short: there may be thousands, and none is secret
        lines = read_regular(path, LONGEST_LIST).decode("ascii").splitlines()
        return [(name, public) for name, public in map(str.split, lines)]
    except FileNotFoundError as error:
        raise KeyMissing(f"{path}: no such site: qrsd keys fleet-site {site}") from error
    except (OSError, ValueError) as error:
        raise KeysError(f"{path}: cannot be read: {error}") from error


def _write_accounts(folder: Path) -> None:
    """Write the accounts of all sites for the server to include, while the folder is locked."""
    devices = {site: read_devices(folder, site) for site in _sites(folder)}
    _write_public(folder / ACCOUNTS, accounts(devices))


def _sites(folder: Path) -> list[str]:
    return sorted(each.parent.name for each in folder.glob("*/devices"))


def _write_devices(folder: Path, site: str, devices: Iterable[tuple[str, str]]) -> None:
    lines = (f"{name} {public}\n" for name, public in devices)
    write_private(folder / site / "devices", "".join(lines))


def _write_public(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text, encoding="ascii")
        draft.chmod(0o644)
        os.replace(draft, path)
    except OSError as error:
        raise KeyNotWritten(f"{path}: cannot be written: {error.strerror}") from error


def _check_name(name: str) -> None:
    if not LEVEL.fullmatch(name):
        raise KeysError(f"{name!r:.80} is not a name: letters, digits, _ and -, such as door-3")
