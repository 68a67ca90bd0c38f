"""``qrsd report``: its figures against what made the heart, its pages, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import sys
import zlib
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from daemon.__main__ import main
from daemon.commands.exit_codes import exit_code
from daemon.errors import ExtraMissing, ResultsNotWritable
from daemon.offline.labels import LABELS
from daemon.offline.report_pictures import MM_PER_S
from daemon.offline.reporting import Report, report_on
from daemon.offline.results import require_report_extras
from daemon.recordings.origin import origin
from daemon.recordings.recorded import LEAD_OFF, LEAD_ON, LOST, LOST_SAMPLES, Annotation
from daemon.recordings.recording import OpenRecording
from drivers.waveforms.hearts import Heart
from dsp.options import RhythmOptions
from model.gallery import Gallery
from tests.daemon.commands.command import qrsd
from tests.daemon.recordings.recordings import BEGIN, LAYOUT, RATE_HZ, write_bdf
from tests.model import models

SECONDS = 200
GAP_S, GAP_LENGTH_S = 70, 4
OFF_S, ON_S = 100, 106
HEART = Heart(4)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated heart with a gap, and with an electrode off for some seconds."""
    count = SECONDS * RATE_HZ
    signals_mv = np.column_stack([HEART.respiration_mv[:count], HEART.ecg_mv[:count]])
    steps = np.array([signal.mv_per_code for signal in LAYOUT.signals])
    codes = np.rint(signals_mv / steps).astype(np.int32)
    codes[GAP_S * RATE_HZ : (GAP_S + GAP_LENGTH_S) * RATE_HZ] = LOST
    nobody = slice(OFF_S * RATE_HZ, ON_S * RATE_HZ)  # what an open input picks up
    codes[nobody, 1] = np.random.default_rng(1).normal(0, 20_000, ON_S * RATE_HZ)[nobody]
    words = [
        Annotation(GAP_S * RATE_HZ, LOST_SAMPLES, GAP_LENGTH_S * RATE_HZ),
        Annotation(OFF_S * RATE_HZ, LEAD_OFF),
        Annotation(ON_S * RATE_HZ, LEAD_ON),
    ]
    path = tmp_path_factory.mktemp("reports") / "heart.bdf"
    write_bdf(path, codes, words)
    return path


@pytest.fixture(scope="module")
def report(record: Path) -> Report:
    return report_on(OpenRecording(record), origin(str(record)), 50, RhythmOptions())


@pytest.fixture(scope="module")
def page(record: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("pages") / "r.html"
    assert qrsd("report", record, "--out", out) == 0
    return out.read_text()


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of the heart, in a file with a name that would be HTML."""
    rows = [f"{4 * n}, {mv:.4f}" for n, mv in enumerate(HEART.ecg_mv[: 12 * RATE_HZ].tolist())]
    table = tmp_path_factory.mktemp("short") / "<b>short.csv"
    table.write_text("\n".join(["timestamp, ECG mV", *rows]))
    return table


def figures_of(record: object, out: Path, *more: object) -> dict[str, Any]:
    assert qrsd("report", record, *more, "--out", out) == 0
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def test_figures_are_those_of_the_heart_and_of_what_was_done_to_it(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = figures_of(record, tmp_path / "r.json")
    assert figures["begin"] == BEGIN.isoformat()
    assert figures["simulated"] is True
    assert figures["duration_s"] == SECONDS
    assert "who" not in figures
    quality = figures["quality"]
    assert quality["gaps_s"] == [[GAP_S, GAP_LENGTH_S]]
    assert quality["lead_off_s"] == [[OFF_S, ON_S]]
    assert [minute["lost_s"] for minute in quality["minutes"]] == [0, GAP_LENGTH_S, 0, 0]
    assert [minute["length_s"] for minute in quality["minutes"]] == [60, 60, 60, 20]
    for minute in quality["minutes"]:
        assert minute["heart_rate_bpm"] == pytest.approx(HEART.anatomy.heart_rate_bpm, rel=0.05)
        worn_s = minute["length_s"] * (0.7 if minute["begin_s"] == 60 else 1)
        assert minute["good"] > 0.8 * worn_s * HEART.anatomy.heart_rate_bpm / 60
    assert quality["beats"] - quality["good"] < 4  # nothing is looked for without contact
    first, second = figures["strips"]
    assert first["begin_s"] < SECONDS / 2 <= second["begin_s"]
    turns = HEART.phase_rad / (2 * np.pi)  # an R where they pass a whole number
    for strip in (first, second):
        begin = round(strip["begin_s"] * RATE_HZ)
        inside = turns[begin : begin + 10 * RATE_HZ]
        expected_s = (np.flatnonzero(np.diff(np.floor(inside))) + 0.5) / RATE_HZ
        assert strip["r_peaks_s"] == pytest.approx(expected_s.tolist(), abs=0.02)
    assert "report" in capsys.readouterr().out


def test_figures_are_those_of_the_other_commands(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = figures_of(record, tmp_path / "r.json")
    capsys.readouterr()
    for command in ("hrv", "intervals"):
        assert qrsd(command, record, "--json") == 0
        [row] = json.loads(capsys.readouterr().out)["records"]
        if command == "hrv":
            assert figures["hrv"] == row
        else:
            assert figures["intervals"] == {name: row[name] for name in figures["intervals"]}


def test_the_page_says_what_its_figures_are(page: str, report: Report) -> None:
    assert '<html lang="en">' in page
    assert 'class="badge">simulated<' in page
    assert "Not a medical device" in page
    assert "2026-11-28 10:55:39 UTC" in page
    assert f"Good beats: {report.good} of {report.beats} (" in page
    assert "0:01:10 (4.000 s)" in page
    assert "An electrode was off: 0:01:40 to 0:01:46." in page
    for label in LABELS.values():
        assert label.replace("^2", "²") in page
    assert f"{report.variability.hrv.rmssd_ms:.4g}" in page
    assert report.variability.hrv.reasons["vlf_ms2"] in page
    assert "://" not in re.sub(r"base64,[^\"]*", "", page)  # it asks nobody for anything
    assert "Who" not in page


def test_every_picture_is_drawn_and_told(page: str) -> None:
    pictures = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"', page)
    assert len(pictures) == page.count("<img") == 9
    roots = [ElementTree.fromstring(b64decode(data)) for data, _ in pictures]
    strips = [root for root, (_, alt) in zip(roots, pictures, strict=True) if "ECG from" in alt]
    for root in strips:
        points_wide = float(root.attrib["width"].removesuffix("pt"))
        assert points_wide / 72 * 25.4 == pytest.approx(10 * MM_PER_S, abs=0.1)
    assert len(strips) == 2


def test_the_pdf_can_be_read_aloud(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        require_report_extras(pdf=True)
    except ExtraMissing as error:
        pytest.skip(str(error))
    assert qrsd("report", short, "--out", tmp_path / "r.pdf") == 0
    data = (tmp_path / "r.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    streams = re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)\nendstream", data, re.DOTALL)
    text = data + b"".join(zlib.decompressobj().decompress(stream) for stream in streams)
    assert b"pdfuaid" in text
    assert text.count(b"/Alt") >= 3  # of strip, averaged beat and quality
    assert b"/Lang" in text


def test_a_short_recording_says_what_it_is_too_short_for(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qrsd("report", short, "--out", tmp_path / "r.html") == 0
    page = (tmp_path / "r.html").read_text()
    assert "&lt;b&gt;short.csv" in page
    assert "<b>" not in page
    assert "needs 60 s, there are" in page
    assert "No spectrum: needs 60 s" in page
    assert "Whether an electrode was off is not known." in page
    assert "simulated" not in page


def test_without_a_good_beat_there_is_no_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "flat.csv"
    table.write_text("\n".join(["timestamp, Channel 1", *(f"{4 * i}, 5" for i in range(2500))]))
    assert qrsd("report", table, "--out", tmp_path / "r.html") == 65
    assert "no good beat: it is flat" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_who_it_is_is_said_when_asked(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery, model = tmp_path / "people.sqlite", models.embedder(tmp_path)
    Gallery(gallery).close()
    asked = ("--gallery", gallery, "--model", model)
    who = figures_of(short, tmp_path / "r.json", "--who", *asked)["who"]
    capsys.readouterr()
    assert qrsd("identify", short, *asked, "--json") == 0
    [row] = json.loads(capsys.readouterr().out)["records"]
    assert who == {name: value for name, value in row.items() if name != "record"}
    assert qrsd("report", short, "--out", tmp_path / "r.html", "--who", *asked) == 0
    assert "Who, after the last beat" in (tmp_path / "r.html").read_text()


def test_who_it_was_over_time_is_told_with_what_speaks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise_mv = np.random.default_rng(1).normal(0, 0.02, 50 * RATE_HZ)  # or it would not be alive
    ecg_mv = HEART.ecg_mv[: len(noise_mv)] + noise_mv
    rows = [f"{4 * n}, {mv:.4f}" for n, mv in enumerate(ecg_mv) if not 25 <= n / RATE_HZ < 27]
    table, gallery = tmp_path / "ada.csv", tmp_path / "people.sqlite"
    table.write_text("\n".join(["timestamp, ECG mV", *rows]))
    command = ("enroll", "Ada <$x$>", "--record", table, "--gallery", gallery)
    assert qrsd(*command) == 0, capsys.readouterr().err
    stretches = figures_of(table, tmp_path / "r.json", "--who", "--gallery", gallery)["identity"]
    assert [each["end_s"] for each in stretches[:-1]] == [each["begin_s"] for each in stretches[1:]]
    assert (stretches[0]["begin_s"], stretches[-1]["end_s"]) == (0, 50)
    for at_s, person in ((1, None), (20, "Ada <$x$>"), (27.5, None), (45, "Ada <$x$>")):
        [there] = [each for each in stretches if each["begin_s"] <= at_s < each["end_s"]]
        assert there["person"] == person, there
        assert (there["confidence"] is None) == (person is None)
        assert (there["state"] == "undecided") == (person is None)
    out = tmp_path / "r.html"
    assert qrsd("report", table, "--out", out, "--who", "--gallery", gallery) == 0
    page = out.read_text()
    told = r"Who it is over time: undecided for 0:00:\d\d, Ada &lt;\$x\$&gt; for 0:00:[34]"
    assert re.search(f'alt="{told}', page)
    assert '<th scope="row">Ada &lt;$x$&gt;</th>' in page


def test_the_newest_of_what_was_recorded(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    shutil.copy(record, recordings / "2026-11-28T105539Z.bdf")
    figures = figures_of("--last", tmp_path / "r.json", "90s")
    assert figures["duration_s"] == 90
    assert figures["begin"] == (BEGIN + timedelta(seconds=SECONDS - 90)).isoformat()
    assert figures["quality"]["lead_off_s"] == []
    assert figures["notes"][0] == "the newest 90 s: 2026-11-28T105539Z.bdf"
    for wrong in ((record, "--last", "10min"), ()):
        with pytest.raises(SystemExit):
            qrsd("report", *wrong, "--out", tmp_path / "r.json")


@pytest.mark.parametrize("package", ["jinja2", "matplotlib", "weasyprint"])
def test_a_missing_extra_is_named_before_the_work(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissing, match=rf"needs {package}.*'\.\[report\]'") as caught:
        qrsd("report", tmp_path / "none.bdf", "--out", tmp_path / "r.pdf")
    assert exit_code(caught.value) == 69


def test_what_cannot_be_written_is_told(record: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultsNotWritable, match="nowhere"):
        qrsd("report", record, "--out", tmp_path / "nowhere" / "r.json")
    with pytest.raises(SystemExit) as refused:
        qrsd("report", record, "--out", tmp_path / "r.txt")
    assert refused.value.code == 2
    assert main(["report", str(tmp_path / "none.bdf"), "--out", str(tmp_path / "r.json")]) == 66
    assert not (tmp_path / "r.json").exists()
