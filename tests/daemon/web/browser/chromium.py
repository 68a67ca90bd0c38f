"""Debian's Chromium with an empty profile, driven by Selenium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--lang=en",
)
PATIENCE_S = 120.0  # for a report, on a busy machine


def programs() -> tuple[str, str]:
    """Return the paths of browser and driver, or skip the test."""
    pytest.importorskip("selenium", reason="needs qrsd[web-test]")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium is not installed: apt install chromium chromium-driver")
    return browser, driver


@contextmanager
def chromium(folder: Path) -> Iterator[Chrome]:
    """Start the browser with its profile and its downloads in a folder, or skip the test."""
    browser, driver = programs()
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    downloads = {"download.default_directory": str(folder / "downloads")}
    options.add_experimental_option("prefs", downloads | {"intl.accept_languages": "en"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(driver))
    try:
        chrome.set_page_load_timeout(PATIENCE_S)
        chrome.set_script_timeout(PATIENCE_S)
        yield chrome
    finally:
        chrome.quit()
