"""What the page decides without a browser, run by Node: messages, waveforms, notifications."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import pytest

from daemon.web.hub import Hub
from daemon.wire.messages import KINDS, Received, Stamp
from dsp.hrv import hrv
from dsp.rr_correction import RrSeries
from tests.daemon.web.browser.node import CHECKOUT, node
from tests.daemon.web.serving import BEGIN, ecg, identity, status

STATIC = CHECKOUT / "daemon" / "web" / "static"
BOOT, OTHER_BOOT = "4fd2b8b5-9f5c-4d0e-9a70-5f1b2d1f0c11", "5fd2b8b5-9f5c-4d0e-9a70-5f1b2d1f0c11"

pytestmark = pytest.mark.web


def run(module: str, code: str, given: object = None) -> Any:
    """Run code with a module's exports as ``page``, and return what it answers."""
    program = (
        f"const page = await import({json.dumps((STATIC / module).as_uri())});"
        f"const given = {json.dumps(given)};"
        f"const answer = await (async () => {{{code}}})();"
        "console.log(JSON.stringify(answer));"
    )
    ran = node("--input-type=module", "--eval", program)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def packed(*heard: Received) -> list[str]:
    """Return messages as the server sends them to a newcomer."""
    hub = Hub()
    for each in heard:
        hub.take(each)
    topics = tuple(KINDS)
    messages = [*hub.welcome(topics), *hub.recent(topics)]
    return [base64.b64encode(each.packed).decode() for each in messages]


def said(message: Any, sequence: int, boot: str = BOOT) -> Received:
    return Received(Stamp("bench", boot, sequence, BEGIN, "simulated"), message)


TAKE = """
    const heard = [];
    for (const topic of ["status", "identity", "ecg", "restarted", "forget"]) {
      page.live.on(topic, (header, payload) =>
        heard.push([topic, header.sequence, [...new Float32Array(payload)]]));
    }
    for (const packed of given) {
      page.live.take(new Uint8Array(Buffer.from(packed, "base64")).buffer);
    }
    return heard;
"""


def test_page_reads_what_the_server_packs() -> None:
    wave = ecg(250)

    heard = run("live.js", TAKE, packed(said(status(), 3), said(identity(), 7), said(wave, 5)))

    assert [each[:2] for each in heard] == [["status", 3], ["identity", 7], ["ecg", 5]]
    assert heard[2][2] == pytest.approx(list(wave.ecg_mv))


def test_page_hears_a_message_once_though_it_connects_again() -> None:
    first, again = packed(said(ecg(0), 0)), packed(said(ecg(0), 0), said(ecg(25), 1))

    heard = run("live.js", TAKE, [*first, *again])

    assert [sequence for topic, sequence, _ in heard if topic == "ecg"] == [0, 1]


def test_page_forgets_who_it_was_when_the_service_was_restarted() -> None:
    before = packed(said(status(), 5), said(identity(), 9))
    after = packed(said(status(), 0, OTHER_BOOT))

    heard = run("live.js", TAKE, [*before, *after])

    assert [each[0] for each in heard] == ["status", "identity", "forget", "restarted", "status"]


def test_ring_keeps_the_newest_samples_and_fills_no_gap() -> None:
    code = """
        const ring = new page.Ring(10);
        ring.put(100, [1, 2, 3]);
        ring.put(105, [6, 7, 8, 9, 10, 11, 12, 13]);
        return [...Array(16).keys()].map((at) => ring.at(99 + at));
    """

    kept = run("scene.js", code)

    gone, lost, later = [None] * 4, [None] * 2, [None] * 2
    assert kept == [*gone, *lost, *range(6, 14), *later]


GATE = """
    const gate = new page.Gate({ hold_s: 5, release_s: 30 });
    const told = [];
    for (let s = 0; s < 2000; s++) {
      if (gate.update(given.some(([from, to]) => s >= from && s < to), s)) told.push(s);
    }
    return told;
"""


@pytest.mark.parametrize(
    ("active", "told"),
    [
        ([(10, 14)], []),  # too short
        ([(10, 100)], [15]),
        ([(10, 100), (110, 200), (215, 300)], [15]),  # never over for long enough
        ([(10, 100), (200, 300)], [15]),  # over, but told less than ten minutes ago
        ([(10, 100), (700, 800)], [15, 705]),
    ],
)
def test_notification_waits_until_it_holds_and_is_not_repeated(
    active: list[tuple[int, int]], told: list[int]
) -> None:
    assert run("notifications.js", GATE, active) == told


IN_GERMAN = """
    globalThis.localStorage = { getItem: () => "de" };
    globalThis.document = { documentElement: {} };
    globalThis.fetch = async () => ({ json: async () => given.texts });
    await (await import(given.i18n)).loadLanguage();
    return given.phrases.map((phrase) => page.phrase(phrase));
"""


def in_german(*phrases: str) -> list[str]:
    texts = json.loads((STATIC / "de.json").read_text())
    given = {"texts": texts, "i18n": (STATIC / "i18n.js").as_uri(), "phrases": phrases}
    said: list[str] = run("phrases.js", IN_GERMAN, given)
    return said


def test_why_there_is_no_figure_is_said_in_german_whatever_the_reason() -> None:
    odd = np.tile([800.0, 500.0, 1100.0, 820.0], 300)
    series = [np.full(12, 800.0), np.full(400, 800.0), odd, np.r_[odd, np.full(50, 800.0)]]
    reasons = {
        why for rr_ms in series for why in hrv(RrSeries.of_intervals(rr_ms)).reasons.values()
    }
    assert {re.sub(r"\d+", "#", why) for why in reasons} == {
        "needs # s, there are #",
        "needs # s without a break, there are #",
        "needs # intervals, there are #",
        "#% of the intervals are corrected, more than #%",
        "the intervals do not vary",
    }

    for why, german in zip(reasons, in_german(*reasons), strict=True):
        assert not set(re.findall("[a-z]{3,}", why)) & set(re.findall("[a-z]{3,}", german))
        assert re.findall(r"\d+", german) == re.findall(r"\d+", why)


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("Identity accepted: Ada", "An den Elektroden: Ada"),
        ("Identity unknown", "An den Elektroden: Unbekannt"),
        ("Identity suspect (repeated)", "An den Elektroden: Eingespielt, nicht lebend. Die Schl"),
        ("Lead off", "Elektrode ab"),
        ("End of atrial fibrillation", "Ende: Vorhofflimmern?"),
        ("Ventricular run", "Ventrikul\u00e4re Salve"),
        ("Beat V", "Schlag: ventrikul\u00e4r"),
        ("3 ecg messages lost", "Nachrichten verloren: 3 (ecg)"),
        ("coffee with Ada", "coffee with Ada"),  # somebody's own words
    ],
)
def test_what_a_recorder_wrote_is_said_in_german(text: str, german: str) -> None:
    assert in_german(text)[0].startswith(german)
