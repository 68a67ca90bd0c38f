"""The page in Chromium, on real hearts that are played into the simulated chip.

The tests run in this order on one site: whom one of them enrols is known to the next.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from daemon.doctor.checks import ASKING
from tests.daemon.web.browser.node import CHECKOUT
from tests.daemon.web.browser.page import HEIGHTS, VIEWS, Page
from tests.daemon.web.browser.site import Site

SCREENSHOTS = CHECKOUT / "build" / "screenshots"
#: How much of a canvas is not of its most frequent colour.
INK = """
const canvas = arguments[0];
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
const counts = new Map();
const pixels = new Uint32Array(data.buffer);
for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
return 1 - Math.max(...counts.values()) / pixels.length;
"""

#: Words that reach beyond the card that they are in, tables aside, which scroll.
BEYOND_ITS_CARD = """
const right = (element) => element.getBoundingClientRect().right;
return [...document.querySelectorAll("main .card *")]
  .filter((each) => each.innerText && !each.closest(".table-frame, .visually-hidden"))
  .filter((each) => right(each) > right(each.closest(".card")) + 0.5)
  .map((each) => each.innerText);
"""

#: What is read outside of what is marked as English, or as a name or setting of qrsd's own.
NOT_MARKED_ENGLISH = """
const skipped = "noscript, code, .mono, [lang=en], [lang=en] *, option";
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const texts = [];
while (walker.nextNode()) {
  const { parentElement: element, data } = walker.currentNode;
  if (!element.closest(skipped)) texts.push(data);
}
const labels = [...document.querySelectorAll("[aria-label]")].map((each) => each.ariaLabel);
return [...texts, ...labels];
"""
ENGLISH = re.compile(
    r"\b(the|and|with|not|is|are|of|this|that|cannot|nothing|needs|there|for|be|file|by)\b",
    re.IGNORECASE,
)

#: After a change of size, all is drawn anew.
NEXT_FRAME = """
const [done] = arguments;
requestAnimationFrame(() => requestAnimationFrame(() => done()));
"""

pytestmark = pytest.mark.web


def photograph(page: Page, name: str) -> None:
    """Leave a picture of the page for whoever wants to look."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.chrome.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


def test_somebody_simulated_is_recognised(site: Site, page: Page) -> None:
    page.until_said("Ada", ".hero-name")
    assert site.get("/identity")["person"] == "Ada"
    assert page.text("#badge-simulated") == "simulated"
    assert page.text("#badge-exposure") == "this machine only"
    assert page.complaints() == []


def test_somebody_is_enrolled_with_consent_and_then_recognised(site: Site, page: Page) -> None:
    page.go("people")
    page.until_said("Ada")
    site.end("run")
    site.start_service("Ben")
    site.until(site.is_worn)
    page.until_said("Electrodes are on")
    page.complaints()  # that nobody answered meanwhile
    page.find("#enrol-name").send_keys("Ben")
    page.press(page.button("Start"))
    assert site.get("/enrolment")["state"] == "none"  # not without consent
    page.press("#enrol-consent")
    page.press(page.button("Start"))
    page.until_said("Enrolling Ben")
    page.until_said("Ben is enrolled")
    page.until_said("Consent given", ".person:nth-child(2)")
    [_, ben] = site.get("/people")["people"]
    assert ben["name"] == "Ben"
    assert ben["consent_utc"]
    page.go("live")
    page.until_said("Ben", ".hero-name")
    assert page.complaints() == []


def test_somebody_is_renamed_and_forgotten_after_typing_the_name(site: Site, page: Page) -> None:
    page.go("people")
    page.press(page.button("Rename Ben"))
    page.find("#asked").clear()
    page.find("#asked").send_keys("Ada")
    page.press(page.button("Rename", "dialog"))
    page.until_said("enrolled already", "dialog")
    page.find("#asked").clear()
    page.find("#asked").send_keys("Benno")
    page.press(page.button("Rename", "dialog"))
    page.until_said("Benno")
    page.press(page.button("Forget Benno"))
    forget = page.button("Forget", "dialog")
    page.find("#asked").send_keys("Benn")
    assert not forget.is_enabled()
    page.find("#asked").send_keys("o")
    page.press(forget)
    page.until(lambda: "Benno" not in page.text())
    assert [each["name"] for each in site.get("/people")["people"]] == ["Ada"]


def test_a_file_that_is_dropped_is_analysed(site: Site, page: Page) -> None:
    page.go("analyse")
    page.drop("label[for=file]", site.hearts.ada_again)
    for question in ("detect", "identify", "variability", "anomaly"):
        page.find(f"[data-question={question}][aria-busy=false]")
    assert not page.find_all(".callout-bad")
    assert "Ada" in page.text("[data-question=identify]")
    assert "Mean interval" in page.text("[data-question=variability]")
    assert "Not a medical device" in page.text("[data-question=anomaly]")
    assert page.complaints() == []


def test_two_files_are_compared(site: Site, page: Page) -> None:
    page.go("analyse")
    page.drop("label[for=first]", site.hearts.enrolled_with)
    page.drop("label[for=second]", site.hearts.ada_again)
    page.until_said("The same person", "[data-question=verify] .verdict")
    page.drop("label[for=second]", site.hearts.ben_first)
    page.until_said("Two persons", "[data-question=verify] .verdict")


def test_what_is_no_recording_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "letter.csv"
    letter.write_text("Dear Ada")
    page.go("analyse")
    page.drop("label[for=file]", [letter])
    page.find("[data-question=detect][aria-busy=false]")
    assert len(page.find_all(".callout-bad")) == 1  # the other questions would fail alike
    assert "Traceback" not in page.text()


def test_a_recording_is_marked_stopped_and_replayed(site: Site, page: Page) -> None:
    page.go("recordings")
    page.until_said("Writing")
    page.find("#marker").send_keys("coffee")
    page.press(page.button("Mark now"))
    page.until_said("Marked: coffee")
    page.press(page.button("Stop recording"))
    page.until_said("waiting")
    page.until(lambda: site.get("/recordings")["recordings"][0]["duration_s"])
    page.press("main table a")
    viewer = page.find(".viewer")
    page.until_said("Seen:")
    canvas = page.find(".viewer canvas")
    page.until(lambda: page.run(INK, canvas) > 0.02)
    page.until(lambda: "not measured" not in page.text("#seen"))
    assert "(10.0 s)" in page.text("#seen")
    viewer.send_keys("+")
    page.until_said("(6.3 s)", "#seen")
    before = page.text("#seen")
    viewer.send_keys("\ue014")  # the right arrow
    page.until(lambda: page.text("#seen") != before)
    page.press(page.button("coffee"))
    page.until_said("(10.0 s)", "#seen")
    photograph(page, "recording-en-1280")
    page.press(page.button("All of the recording"))
    page.until(lambda: page.run(INK, canvas) > 0.02)
    page.go("recordings")
    assert page.complaints() == []


def test_a_report_of_a_recording_is_printed(site: Site, page: Page) -> None:
    [*_, oldest] = site.get("/recordings")["recordings"]
    page.chrome.get(f"{site.url}api/v1/recordings/{oldest['id']}/report?format=html")
    page.until(lambda: page.run("return document.images.length || document.querySelector('svg')"))
    assert "Not a medical device" in page.text("body") or "not a medical device" in page.text(
        "body"
    )
    assert page.run("return [...document.images].every((image) => image.naturalWidth > 0)")
    printed = page.chrome.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")
    assert page.complaints() == []  # the policy on content lets its pictures and styles through


def test_a_lost_connection_is_said_and_found_again(site: Site, page: Page) -> None:
    site.end("web")
    page.until_said("Connection lost", "#banner")
    site.start_web()
    page.until(lambda: not page.find("body").find_element("id", "banner").is_displayed())
    page.until(lambda: page.run("return document.body.hasAttribute('data-stale')") is False)


def test_the_page_survives_a_restart_of_the_service(site: Site, page: Page) -> None:
    before = site.get("/status")["boot"]
    site.end("run")
    page.until_said("Nothing heard from the service", "#banner")
    site.start_service()
    page.until(lambda: not page.find("body").find_element("id", "banner").is_displayed())
    page.until_said("Ada", ".hero-name")
    assert site.get("/status")["boot"] != before


def english(page: Page) -> list[str]:
    return [text for text in page.run(NOT_MARKED_ENGLISH) if ENGLISH.search(text)]


@pytest.mark.parametrize("view", VIEWS)
def test_no_english_is_left_in_german(site: Site, page: Page, tmp_path: Path, view: str) -> None:
    page.open(view, language="de")
    page.until(lambda: page.find_all("main .card, main section"))
    if view == "analyse":
        (letter := tmp_path / "letter.csv").write_text("Dear Ada")
        for dropped, last in (([letter], "detect"), (site.hearts.ada_again, "anomaly")):
            page.drop("label[for=file]", dropped)
            page.find(f"[data-question={last}][aria-busy=false]")
            assert english(page) == []
    if view == "recordings":
        page.press("main table tr:last-child a")
        page.find(".viewer")
    assert english(page) == []


def test_the_device_is_looked_at_and_what_is_found_is_said_in_german(page: Page) -> None:
    page.open("device", language="de")
    page.press(page.button("Jetzt nachsehen"))
    page.until_said("Nachgesehen um")
    assert len(page.find_all(".findings li")) == len(ASKING)
    assert "in Ordnung Dienst" in page.text(".findings li:nth-child(2)")
    assert english(page) == []
    assert page.violations() == []


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(page: Page, view: str) -> None:
    page.open(view, theme="light")
    if view == "model":
        page.press(page.button("Explain"))
        page.find(".shares, .callout-bad")
    page.until(
        lambda: page.run("return document.querySelectorAll('main .card, main section').length")
    )
    assert page.violations() == []
    page.press("#tool-theme")
    assert page.run("return document.documentElement.dataset.theme") == "dark"
    assert page.violations() == []


@pytest.mark.parametrize(
    ("language", "view"), [*(("en", view) for view in VIEWS), ("de", "live"), ("de", "device")]
)
def test_nothing_is_cut_off(page: Page, language: str, view: str) -> None:
    page.resize(min(HEIGHTS))
    page.open(view, language=language)
    page.until(lambda: page.run("return document.querySelectorAll('main .card').length"))
    for width in HEIGHTS:
        page.resize(width)
        page.chrome.execute_async_script(NEXT_FRAME)
        wide = page.run("return document.documentElement.scrollWidth - innerWidth")
        photograph(page, f"{view}-{language}-{width}")
        assert wide <= 0, f"{view} is {wide} pixels too wide"
        assert page.run(BEYOND_ITS_CARD) == [], f"in {view}, {language}"
