"""The page as somebody uses it: what they see, press, type and drop."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.daemon.web.browser.node import installed

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

VIEWS = ("live", "people", "recordings", "analyse", "model", "device")
PATIENCE_S = 60.0
HEIGHTS = {320: 640, 1280: 800, 2560: 1440}
#: Drops files on an element, as from the file manager.
DROP = """
const [place, files] = arguments;
const dropped = new DataTransfer();
for (const [name, content] of files) {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  dropped.items.add(new File([bytes], name));
}
for (const type of ["dragenter", "dragover", "drop"]) {
  const how = { dataTransfer: dropped, bubbles: true, cancelable: true };
  place.dispatchEvent(new DragEvent(type, how));
}
"""
AXE = "axe.run(document, {resultTypes: ['violations']}).then(arguments[0])"


class Page:
    """The page in a browser."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        self.chrome = chrome
        self.url = url

    def open(self, view: str, **kept: str) -> None:
        """Load the page anew at a view; ``kept`` are choices of the user's, such as the theme."""
        self.chrome.get(f"{self.url}static/icon.svg")
        for name, value in kept.items():
            self.run("localStorage.setItem(`qrsd.${arguments[0]}`, arguments[1])", name, value)
        self.chrome.get(f"{self.url}#{view}")
        self.until(lambda: self.find_all("main h1"))

    def go(self, view: str) -> None:
        """Choose a view in the rail."""
        self.press(f"#rail [data-view={view}]")
        self.until(lambda: self.find_all(f"main .view-{view} h1"))

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page."""
        return self.chrome.execute_script(script, *arguments)

    def find_all(self, selector: str) -> list[WebElement]:
        """Return the elements that there are, seen or not."""
        return self.chrome.find_elements("css selector", selector)

    def find(self, selector: str) -> WebElement:
        """Wait for an element that is seen, and return it."""
        self.until(lambda: any(each.is_displayed() for each in self.find_all(selector)))
        return next(each for each in self.find_all(selector) if each.is_displayed())

    def press(self, what: str | WebElement) -> None:
        """Press something, scrolled to where nothing hides it."""
        element = self.find(what) if isinstance(what, str) else what
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def button(self, text: str, within: str = "main") -> WebElement:
        """Wait for a button of that name, and return it."""

        def named() -> list[WebElement]:
            every = self.find_all(f"{within} button, {within} a.button")
            return [each for each in every if each.is_displayed() and text in each.accessible_name]

        self.until(named)
        return named()[0]

    def text(self, selector: str = "main") -> str:
        """Return what is read there."""
        return " ".join(
            self.run(
                "return document.querySelector(arguments[0])?.innerText ?? ''", selector
            ).split()
        )

    def until(self, fulfilled: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        """Wait until something is so; what is shown may be drawn anew meanwhile."""
        from selenium.common.exceptions import StaleElementReferenceException

        end_s = time.monotonic() + within_s
        while True:
            try:
                if fulfilled():
                    return
            except StaleElementReferenceException:
                pass
            assert time.monotonic() < end_s, f"it did not come to pass; seen: {self.text()}"
            time.sleep(0.1)

    def until_said(self, text: str, selector: str = "main", within_s: float = PATIENCE_S) -> None:
        """Wait until something is read there."""
        self.until(lambda: text in self.text(selector), within_s)

    def drop(self, selector: str, files: Sequence[Path]) -> None:
        """Drop files on a place."""
        contents = [[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files]
        self.run(DROP, self.find(selector), contents)

    def violations(self) -> list[str]:
        """Return what axe-core has to say against the page as it is now."""
        self.run((installed() / "axe-core" / "axe.min.js").read_text())
        found = self.chrome.execute_async_script(AXE)["violations"]
        return [
            f"{each['id']}: {', '.join(str(node['target']) for node in each['nodes'])}"
            for each in found
        ]

    def resize(self, width: int) -> None:
        """Give the page a window of so many pixels."""
        size = {"width": width, "height": HEIGHTS[width], "deviceScaleFactor": 1, "mobile": False}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def complaints(self) -> list[str]:
        """Return the errors in the browser's console since it was asked last."""
        return [
            each["message"] for each in self.chrome.get_log("browser") if each["level"] == "SEVERE"
        ]
