"""What the page decides without a browser, run by Node: messages, waveforms, notifications."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from daemon.web.hub import Hub
from daemon.wire.messages import KINDS, EpisodeOnWire, Received, RhythmMessage, Stamp
from daemon.wire.status import ChipStatus, Failure
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
    return given.map((active) => {
      const gate = new page.Gate({ hold_s: 5, release_s: 30 });
      const told = [];
      for (let s = 0; s < 2000; s++) {
        if (gate.update(active.some(([from, to]) => s >= from && s < to), s)) told.push(s);
      }
      return told;
    });
"""


def test_notification_waits_until_it_holds_and_is_not_repeated() -> None:
    cases: list[tuple[list[tuple[int, int]], list[int]]] = [
        ([(10, 14)], []),  # too short
        ([(10, 100)], [15]),
        ([(10, 100), (110, 200), (215, 300)], [15]),  # never over for long enough
        ([(10, 100), (200, 300)], [15]),  # over, but told less than ten minutes ago
        ([(10, 100), (700, 800)], [15, 705]),
    ]
    told = run("notifications.js", GATE, [active for active, _ in cases])
    assert told == [expected for _, expected in cases]


BROWSER = """
    const told = [];
    const kept = { "qrsd.notifications": JSON.stringify(given.choice) };
    globalThis.localStorage = { getItem: (name) => kept[name] ?? null };
    globalThis.document = { documentElement: {}, dispatchEvent: () => {} };
    globalThis.window = globalThis;
    globalThis.fetch = async () => ({ json: async () => given.texts });
    let now_s = 0;
    performance.now = () => 1000 * now_s;
    globalThis.Notification = class {
      static permission = "granted";
      constructor(title, options) { told.push({ at_s: now_s, title, ...options }); }
    };
    await (await import(given.i18n)).loadLanguage();
    const { live } = await import(given.live);
    page.watchForNotifications();
    for (now_s = 0; now_s < given.lasts_s; now_s++) {
      for (const [from_s, to_s, packed] of given.script) {
        if (now_s < from_s || now_s >= to_s) continue;
        const data = new Uint8Array(Buffer.from(packed, "base64")).buffer;
        live.sequences.clear();
        live.take(data);
      }
      live.tell();
    }
    return told;
"""
RULES = ("stranger", "recognised", "rhythm", "electrodes_off", "device")
ON, OFF = status(), replace(status(), contact="off")
FAILED = replace(status(), state="recovering", chip=ChipStatus(error=Failure("miso_low", "Low.")))


def notified(
    *script: tuple[int, int, Any],
    lasts_s: int = 60,
    rules: Sequence[str] = RULES,
    names: bool = False,
) -> list[dict[str, Any]]:
    """Return what a browser tells while messages are said each second from one to another."""
    texts = json.loads((STATIC / "en.json").read_text())
    given = {
        "choice": {"rules": rules, "names": names},
        "texts": texts,
        "i18n": (STATIC / "i18n.js").as_uri(),
        "live": (STATIC / "live.js").as_uri(),
        "lasts_s": lasts_s,
        "script": [(from_s, to_s, *packed(said(message, 1))) for from_s, to_s, message in script],
    }
    told: list[dict[str, Any]] = run("notifications.js", BROWSER, given)
    for each in told:
        assert "simulated" in each["body"]
        assert each["body"].endswith(texts["caution.words"])
    return told


def episodes(*kinds: str, end: int | None = None) -> RhythmMessage:
    told = tuple(EpisodeOnWire(kind, 500, end) for kind in kinds)
    return RhythmMessage(0, "sinus", 61.0, 0.01, told)


def titles(told: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(each["at_s"], each["title"].removeprefix("qrsd: ")) for each in told]


ALL_THE_TIME = (0, 10_000, ON)


def test_browser_tells_of_a_stranger_and_of_each_person_once_without_names() -> None:
    ada, ben, stranger = identity(), identity(person="Ben"), identity(person=None)
    script = ((0, 20, ada), (20, 40, ben), (40, 60, stranger), (60, 70, ada))
    told = notified(ALL_THE_TIME, *script, lasts_s=70)
    recognised = "Somebody was recognised"
    assert titles(told) == [(5, recognised), (25, recognised), (45, "A stranger")]
    assert not any(name in json.dumps(told) for name in ("Ada", "Ben"))
    named = notified(ALL_THE_TIME, *script, lasts_s=10, names=True)
    assert named[0]["body"].splitlines()[1] == "Ada"


def test_browser_tells_of_each_kind_of_episode_though_another_lasts() -> None:
    script = (
        (0, 300, episodes("bigeminy")),
        (50, 51, episodes("bigeminy", "couplet", end=900)),  # over when it is told
        (100, 110, episodes("bigeminy", "asystole")),
    )
    told = notified(ALL_THE_TIME, *script, lasts_s=300)
    kinds = [(each["at_s"], each["body"].splitlines()[1]) for each in told]
    assert kinds == [(0, "Bigeminy"), (50, "Couplet"), (100, "No beat")]


def test_browser_tells_of_electrodes_that_are_off_for_long_and_were_on() -> None:
    assert notified((0, 1000, OFF), lasts_s=400) == []
    [off] = titles(notified((0, 10, ON), (10, 1000, OFF), lasts_s=400))
    assert off == (310, "Electrodes off")


def test_browser_tells_of_trouble_with_chip_and_service() -> None:
    [failed] = notified((0, 10, ON), (10, 60, FAILED))
    assert (failed["at_s"], failed["title"]) == (20, "qrsd: Trouble with the device")
    assert failed["body"].splitlines()[1] == "Low."
    [silent] = notified((0, 10, ON))
    assert 20 <= silent["at_s"] <= 24
    assert "Is qrsd running?" in silent["body"]


def test_browser_tells_of_nothing_that_was_not_asked_for_and_then_at_once() -> None:
    assert notified(ALL_THE_TIME, (0, 60, identity(person=None)), rules=["device"]) == []


BREATH = """
    const counts = new Int32Array(100);
    given.forEach((count, at) => (counts[2 * at] = count));
    const flags = { lead_off: [[20, 30]] };
    const header = { index: 0, channels: ["respiration", "ecg"], mv_per_count: [1, 1], flags };
    page.scene.takeWave(header, counts.buffer);
    return [...page.scene.respiration.values.slice(0, 50)];
"""


def test_breathing_begins_anew_where_the_electrodes_are_on_again() -> None:
    drawn = run("scene.js", BREATH, [5] * 20 + [9000] * 10 + [700] * 20)

    assert drawn[20:30] == [None] * 10
    assert np.abs(drawn[:20] + drawn[30:]).max() < 1  # not 700, which would hide all breathing


STACK = """
    const { RATE_HZ, scene } = page;
    const beat = (height) => Array.from({ length: RATE_HZ }, (_, at) => (at === 100 ? height : 0));
    const utc = "2026-11-28T10:00:00Z";
    const who = (state, person, index) =>
      scene.takeIdentity({ state, person, confidence: 1, index, utc, age_s: 0 });
    const seen = [];
    given.forEach(([state, person, height], n) => {
      const index = 250 * n;
      who(state, person, index);
      scene.takeEcg({ index, utc }, new Float32Array(beat(height)).buffer);
      scene.takePeak({ index: index + 100, rr_s: 1, amplitude_mv: height });
      scene.takeBeat({ r_index: index + 100, quality: 1, flaws: [] });
      const { person: whose, mean, beats } = scene.reference;
      seen.push([whose, mean && Math.max(...mean), beats]);
    });
    return seen;
"""


def test_beats_are_compared_with_the_mean_of_whom_they_came_from_last() -> None:
    ada, stranger, ben = ("accepted", "Ada", 1.0), ("unknown", None, 3.0), ("accepted", "Ben", 2.0)

    seen = run("scene.js", STACK, [stranger] * 10 + [ada] * 30 + [stranger] * 20 + [ben] * 20)

    assert seen[9] == [None, None, 0]
    assert seen[20][:2] == ["Ada", None]  # too few beats yet
    assert seen[39][0] == "Ada"
    assert seen[59][:2] == ["Ada", 1.0]  # none of the stranger's beats is in it
    assert seen[79][:2] == ["Ben", 2.0]


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


def test_what_a_recorder_wrote_is_said_in_german() -> None:
    german = {
        "Identity accepted: Ada": "An den Elektroden: Ada",
        "Identity unknown": "An den Elektroden: Unbekannt",
        "Identity suspect (repeated)": "An den Elektroden: Eingespielt, nicht lebend. Die Schl",
        "Lead off": "Elektrode ab",
        "End of atrial fibrillation": "Ende: Vorhofflimmern?",
        "Ventricular run": "Ventrikul\u00e4re Salve",
        "Beat V": "Schlag: ventrikul\u00e4r",
        "3 ecg messages lost": "Nachrichten verloren: 3 (ecg)",
        "coffee with Ada": "coffee with Ada",  # somebody's own words
    }
    for said, expected in zip(in_german(*german), german.values(), strict=True):
        assert said.startswith(expected)
