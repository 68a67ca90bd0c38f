"""One site and one browser for all tests of the page, since both are slow to start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SHARED_DATA
from tests.daemon.hearts import write_heart
from tests.daemon.web.browser.chromium import chromium, programs
from tests.daemon.web.browser.page import Page
from tests.daemon.web.browser.site import Hearts, Site

HELD_OUT = Path(__file__).parents[3] / "model" / "held_out.tflite"


def hearts(folder: Path) -> Hearts:
    """Return two people whom the model has not learned from, else two synthetic hearts."""
    ecg_id = SHARED_DATA / "ecg-id"
    if ecg_id.is_dir():
        ada, _noisy, ben, *_ = json.loads(HELD_OUT.with_suffix(".json").read_text())["training"][
            "never_seen"
        ]
        return Hearts(
            str(HELD_OUT),
            [ecg_id / ada / f"rec_1.{part}" for part in ("hea", "dat")],
            [ecg_id / ada / f"rec_2.{part}" for part in ("hea", "dat")],
            [ecg_id / ben / f"rec_1.{part}" for part in ("hea", "dat")],
            {
                "Ada": {"record": str(ecg_id / ada / "rec_2")},
                "Ben": {"record": str(ecg_id / ben / "rec_1")},
            },
        )
    return Hearts(
        "",
        [write_heart(folder / "ada.csv", 64)],
        [write_heart(folder / "again.csv", 64, start_s=300.0)],
        [write_heart(folder / "ben.csv", 82)],
        {"Ada": {"heart": 64, "from_s": 300.0}, "Ben": {"heart": 82}},
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    programs()
    folder = tmp_path_factory.mktemp("site")
    running = Site(folder, hearts(folder))
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def _browser(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as chrome:
        yield Page(chrome, site.url)


@pytest.fixture
def page(_browser: Page) -> Page:
    """Return the page at its first view, in English and light, as wide as on a laptop."""
    _browser.resize(1280)
    _browser.open("live", theme="light", language="en")
    _browser.complaints()
    return _browser
