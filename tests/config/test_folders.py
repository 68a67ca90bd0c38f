"""State and sockets are where systemd says, else where root's or the user's belong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config import folders
from config.errors import SettingsError
from config.folders import gallery_path, runtime_folder, state_folder


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ada")


def test_systemd_decides_where_it_runs_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/state")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/runtime")
    assert gallery_path() == Path("/state/gallery.sqlite")
    assert gallery_path(simulated=True) == Path("/state/simulated.sqlite")
    assert runtime_folder() == Path("/runtime")


def test_roots_are_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state_folder() == Path("/var/lib/qrsd")
    assert runtime_folder() == Path("/run/qrsd")


def test_the_services_user_finds_the_services_own_by_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(folders, "SYSTEM_STATE", tmp_path)
    monkeypatch.setattr(folders, "SYSTEM_RUNTIME", tmp_path)
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner)
    assert (state_folder(), runtime_folder()) == (tmp_path, tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert state_folder() == Path("/home/ada/.local/state/qrsd")


def test_anybody_elses_are_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert state_folder() == Path("/home/ada/.local/state/qrsd")
    assert runtime_folder() == Path("/tmp/qrsd-1000")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert runtime_folder() == Path("/run/user/1000/qrsd")


@pytest.mark.parametrize("home", [None, "relative"])
def test_without_a_home_the_way_out_is_said(
    home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    monkeypatch.delenv("HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(SettingsError, match="set HOME, or STATE_DIRECTORY"):
        state_folder()
