"""Orders: a device does what its site's operator asks of it, and of nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.fleet.credentials import Credentials
from daemon.fleet.order import order, read_order
from daemon.fleet.site_folder import add_device, credentials_path, make_site

SUBJECT = "qrsd.house.door-1.model"
ASKED = {"take": "a" * 64}


def credentials(folder: Path, site: str, device: str) -> Credentials:
    return Credentials.from_text(credentials_path(folder, site, device).read_text())


def test_the_operator_s_order_is_read_by_the_device_that_it_is_for(tmp_path: Path) -> None:
    for site in ("house", "barn"):
        make_site(tmp_path, site)
        add_device(tmp_path, site, "door-1")
    add_device(tmp_path, "house", "door-2")
    door, operator = (credentials(tmp_path, "house", each) for each in ("door-1", "operator"))
    sent = order(operator, SUBJECT, ASKED)
    assert read_order(door, SUBJECT, sent) == ASKED

    said, signature = sent.split(b"\n")
    others = {**json.loads(said), "asked": {"take": "b" * 64}}
    forged = (
        order(credentials(tmp_path, "house", "door-2"), SUBJECT, ASKED),
        order(credentials(tmp_path, "barn", "operator"), SUBJECT, ASKED),
        order(operator, "qrsd.house.door-2.model", ASKED),
        order(operator, "qrsd.house.door-1.lease", ASKED),
        json.dumps(others).encode() + b"\n" + signature,
        json.dumps(ASKED).encode(),
        said,
        b"",
        b"\xff\n",
        said.replace(b"operator", b"\\ud800") + b"\n" + signature,
    )
    for each in forged:
        with pytest.raises(ValueError):  # noqa: PT011
            read_order(door, SUBJECT, each)
