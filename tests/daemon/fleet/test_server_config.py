"""The configuration of the server that qrsd makes, and the example of it in systemd/fleet."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import uniform
from time import sleep

import pytest

from config.errors import KeyMissing, KeysError
from daemon.fleet import site_folder
from daemon.fleet.server_config import SERVER, accounts
from daemon.fleet.site_folder import add_device, make_site, read_devices, shut_out

EXAMPLE = Path(__file__).parents[3] / "systemd" / "fleet"


def users(text: str) -> dict[str, str]:
    """Return the devices of a configuration by name, with their public NKeys."""
    lines = zip(*[iter(re.findall(r"^      (.*)$", text, re.MULTILINE))] * 2, strict=True)
    return {name.removeprefix("# "): json.loads(user)["nkey"] for name, user in lines}


def test_the_example_is_what_is_made() -> None:
    made = SERVER.replace("FOLDER", "/etc/qrsd-fleet")
    assert (EXAMPLE / "nats-server.conf").read_text() == made
    example = (EXAMPLE / "accounts.conf").read_text()
    assert accounts({"house": users(example).items()}) == example


def test_sites_and_devices_come_and_go(tmp_path: Path) -> None:
    make_site(tmp_path, "house")
    make_site(tmp_path, "barn")
    add_device(tmp_path, "house", "door-1")
    text = (tmp_path / "accounts.conf").read_text()
    assert re.findall(r'^  "(\w+)"', text, re.MULTILINE) == ["barn", "house"]
    assert dict(read_devices(tmp_path, "house")).items() <= users(text).items()
    secret = (tmp_path / "house" / "door-1.credentials").read_text()
    for seed in re.findall(r"\bS[A-Z0-9]{57}\b", secret):
        assert seed not in text

    shut_out(tmp_path, "house", "door-1")
    assert "door-1" not in (tmp_path / "accounts.conf").read_text()
    assert not (tmp_path / "house" / "door-1.credentials").exists()


def test_no_command_undoes_what_another_does_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(sites: dict[str, list[tuple[str, str]]]) -> str:
        sleep(uniform(0, 0.01))  # between what was read and what is written
        return accounts(sites)

    monkeypatch.setattr(site_folder, "accounts", slowly)
    make_site(tmp_path, "house")
    for number in range(8):
        add_device(tmp_path, "house", f"old-{number}")
    works = [
        *(partial(add_device, tmp_path, "house", f"new-{number}") for number in range(8)),
        *(partial(shut_out, tmp_path, "house", f"old-{number}") for number in range(8)),
    ]
    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(work) for work in works]:
            done.result()

    let_in = users((tmp_path / "accounts.conf").read_text())
    assert set(let_in) == {"operator", *(f"new-{number}" for number in range(8))}
    assert let_in == dict(read_devices(tmp_path, "house"))


def test_a_name_is_taken_once_and_has_no_dots(tmp_path: Path) -> None:
    make_site(tmp_path, "house")
    add_device(tmp_path, "house", "door-1")
    for name in ("door-1", "door.*", "", "../x"):
        with pytest.raises(KeysError):
            add_device(tmp_path, "house", name)
    with pytest.raises(KeysError):
        make_site(tmp_path, "house")
    with pytest.raises(KeyMissing, match="no such device"):
        shut_out(tmp_path, "house", "door-2")
    with pytest.raises(KeyMissing, match="qrsd keys fleet-site barn"):
        add_device(tmp_path, "barn", "door-1")


@pytest.mark.parametrize("kind", ["words", "endless", "pipe", "loop"])
def test_a_list_of_devices_that_is_none_is_refused(tmp_path: Path, kind: str) -> None:
    make_site(tmp_path, "house")
    path = tmp_path / "house" / "devices"
    path.unlink()
    if kind == "words":
        path.write_text("door-1 UABC and more\n")
    elif kind == "endless":
        with path.open("wb") as file:
            file.truncate(1 << 40)  # without a block on the disk
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path)
    with pytest.raises(KeysError, match="house/devices: cannot be read"):
        read_devices(tmp_path, "house")


def test_what_is_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    make_site(tmp_path, "house")
    for path in (tmp_path / "house").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "house").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "accounts.conf").stat().st_mode & 0o777 == 0o644
