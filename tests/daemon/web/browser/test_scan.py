"""A picture of paper is dropped on the page; what is in a frame, drawn or typed, is analysed."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.daemon.paper.conftest import scan_of_two
from tests.daemon.web.browser.page import HEIGHTS, Page
from tests.daemon.web.browser.test_page import BEYOND_ITS_CARD, english, photograph

SIDES = ("left", "top", "width", "height")

pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scan_of_two(tmp_path_factory.mktemp("pages") / "scan.png")


def frame(page: Page) -> list[str]:
    return [page.find(f"#scan-{side}").get_property("value") for side in SIDES]


def drag(page: Page, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw over the picture, from one place to another, in parts of its width and height."""
    from selenium.webdriver import ActionChains

    picture = page.find(".scan-page img")
    page.run("arguments[0].scrollIntoView({block: 'center'})", picture)
    width, height = picture.size["width"], picture.size["height"]
    places = [(round((x - 0.5) * width), round((y - 0.5) * height)) for x, y in (begin, end)]
    actions = ActionChains(page.chrome).move_to_element_with_offset(picture, *places[0])
    actions.click_and_hold().move_to_element_with_offset(picture, *places[1]).release().perform()


def test_what_is_in_a_frame_that_was_drawn_is_analysed(page: Page, scan: Path) -> None:
    page.go("analyse")
    page.drop("label[for=file]", [scan])
    page.until(lambda: page.run("return document.querySelector('.scan-page img').naturalWidth"))
    drag(page, (0.01, 0.5), (0.99, 0.98))
    height, width, _ = cv2.imread(str(scan)).shape
    expected = (0.01 * width, 0.5 * height, 0.98 * width, 0.48 * height)
    assert [float(side) for side in frame(page)] == pytest.approx(expected, abs=5)
    assert page.find(".scan-frame").is_displayed()
    photograph(page, "scan-frame-en-1280")
    page.press(page.button("Read this strip"))
    page.find("[data-question=anomaly][aria-busy=false]")
    assert "25" in page.text("[data-question=digitize] .figures")
    assert "read from paper" in page.text("[data-question=detect]")
    assert page.button("Save as a recording").get_attribute("download") == "scan.bdf"
    assert page.violations() == []
    assert page.complaints() == []
    photograph(page, "scan-read-en-1280")


def test_a_frame_is_typed_and_a_refusal_says_what_to_do(page: Page, scan: Path) -> None:
    page.open("analyse", language="de")
    page.drop("label[for=file]", [scan])
    for side, pixels in zip(SIDES, (40, 60, 20, 20), strict=True):
        page.find(f"#scan-{side}").send_keys(str(pixels))
    assert page.find(".scan-frame").size["width"] > 0
    page.find("#scan-height").send_keys("\ue007")  # Enter
    page.until_said(
        "Ziehen Sie einen Rahmen um eine Zeile", "[data-question=digitize] [role=alert]"
    )
    assert not page.find_all("[data-question=detect]")
    assert english(page) == []
    page.press(page.button("Ganze Seite"))
    assert frame(page) == [""] * 4
    page.complaints()  # that the answer was a refusal


@pytest.mark.parametrize("width", HEIGHTS)
def test_nothing_of_the_picture_is_cut_off(page: Page, scan: Path, width: int) -> None:
    page.resize(width)
    page.open("analyse", language="de")
    page.drop("label[for=file]", [scan])
    page.find(".scan-page img")
    photograph(page, f"scan-de-{width}")
    assert page.run("return document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.run(BEYOND_ITS_CARD) == []


def test_of_a_picture_that_the_browser_does_not_show_the_frame_is_typed(
    page: Page, scan: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "scan.tiff"), cv2.imread(str(scan)))
    page.go("analyse")
    page.drop("label[for=file]", [tmp_path / "scan.tiff"])
    page.until_said("This browser does not show files of this kind")
    page.press(page.button("Read this strip"))
    page.until_said("Save as a recording")
