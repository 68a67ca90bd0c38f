"""The recorder's files over HTTP: listed, looked at, downloaded, reported on; and no others."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pyrage
import pytest
import zmq

from config.settings import RecordOptions, Settings
from daemon.apps.record import Recorder
from daemon.recordings.bdf_writer import BdfWriter
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.recorded import Annotation
from daemon.recordings.recording import read_recording
from daemon.recordings.signal_file import Reading
from daemon.web import recordings_folder
from daemon.wire.control import ControlServer
from tests.daemon.apps.made_up_service import Service
from tests.daemon.background import repeating
from tests.daemon.commands.command import qrsd
from tests.daemon.hearts import write_heart
from tests.daemon.recordings.recordings import LAYOUT, RATE_HZ, noise, write_bdf
from tests.daemon.web.serving import serving

NAME = "2026-11-28T105539Z.bdf"
ANNOTATIONS = [
    Annotation(0, "Identity unknown"),
    Annotation(100, "R peak"),
    Annotation(500, "Marker: coffee"),
    Annotation(600, "Lost samples", 50),
]
SECONDS = 6
LOST = slice(600, 650)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recorder's folder, with a recording of six seconds in it."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    folder = tmp_path / "recordings"
    codes = noise(SECONDS * RATE_HZ)
    codes[LOST] = -(1 << 23)
    write_bdf(folder / NAME, codes, ANNOTATIONS)
    return folder


@pytest.fixture
def client(tmp_path: Path, folder: Path) -> Iterator[httpx.Client]:
    settings = Settings(record=RecordOptions(folder=str(folder)))
    with serving(tmp_path, settings=settings) as served, served.client() as client:
        client.timeout = httpx.Timeout(60)
        yield client


def test_each_recording_is_listed_with_what_its_begin_tells(
    client: httpx.Client, folder: Path
) -> None:
    shutil.copy(folder / NAME, folder / "secret.bdf.age")  # by its name
    (folder / "damaged.bdf").write_bytes(b"no header")
    (folder / "notes.md").write_text("no recording")
    qrsd("convert", folder / NAME, folder / "wfdb.hea")
    with closing(BdfWriter(folder / "2026-11-28T115539Z.bdf", LAYOUT)) as growing:
        growing.write(noise(2 * RATE_HZ), [])
        growing.sync()
        told = client.get("/recordings").json()

    assert told["recorder"]["state"] == "off"
    listed = {each["id"]: each for each in told["recordings"]}
    assert set(listed) == {NAME, growing.path.name, "secret.bdf.age", "damaged.bdf", "wfdb.hea"}
    assert listed[NAME] == {
        "id": NAME,
        "begin_utc": "2026-11-28T10:55:39+00:00",
        "duration_s": SECONDS,
        "size_bytes": (folder / NAME).stat().st_size,
        "format": "bdf",
        "encrypted": False,
        "growing": False,
        "damaged": False,
    }
    parts = sum((folder / f"wfdb{suffix}").stat().st_size for suffix in (".hea", ".dat", ".atr"))
    assert (listed["wfdb.hea"]["size_bytes"], listed["wfdb.hea"]["duration_s"]) == (parts, SECONDS)
    for flag, name in (
        ("growing", growing.path.name),
        ("encrypted", "secret.bdf.age"),
        ("damaged", "damaged.bdf"),
    ):
        assert [each["id"] for each in told["recordings"] if each[flag]] == [name]


def test_one_is_told_of_with_its_annotations(client: httpx.Client) -> None:
    told = client.get(f"/recordings/{NAME}").json()
    assert (told["device"], told["signals"]) == ("simulated", ["Resp", "ECG"])
    assert told["begin_utc"] == "2026-11-28T10:55:39.123456+00:00"
    assert told["duration_s"] == SECONDS
    assert told["annotations"] == [
        {"at_s": 0, "text": "Identity unknown", "duration_s": 0},
        {"at_s": 2, "text": "Marker: coffee", "duration_s": 0},
        {"at_s": 2.4, "text": "Lost samples", "duration_s": 0.2},
    ]


def test_one_that_cannot_be_read_says_why(client: httpx.Client, folder: Path) -> None:
    (folder / "damaged.bdf").write_bytes(b"no header")
    told = client.get("/recordings/damaged.bdf").json()
    assert told["damaged"]
    assert told["notes"] == [
        "damaged.bdf is no EDF or BDF file: it ends within the header."
    ]  # and not where the folder is
    answer = client.get("/recordings/damaged.bdf/samples")
    assert (answer.status_code, answer.json()["code"]) == (422, "recording_unusable")


def test_a_length_that_cannot_be_is_damage(client: httpx.Client, folder: Path) -> None:
    for name, of_header in (("no_rate", "0 1000"), ("too_long", f"250 {'9' * 400}")):
        (folder / f"{name}.hea").write_text(f"{name} 1 {of_header}\n{name}.dat 16\n")
    edf = bytearray((folder / NAME).read_bytes())
    edf[244:252] = b"inf     "  # the length of its records
    (folder / "endless.bdf").write_bytes(edf)
    told = client.get("/recordings").json()["recordings"]
    damaged = {each["id"]: each["duration_s"] for each in told if each["damaged"]}
    assert damaged == {"no_rate.hea": None, "too_long.hea": None, "endless.bdf": None}
    assert len(told) == len(damaged) + 1


def test_one_that_is_erased_while_others_are_listed_is_not_there(
    client: httpx.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the recorder does with one that it has encrypted."""
    erased = folder / "erased.csv"
    erased.write_text("ecg_mv\n1\n")

    def files_of(path: Path) -> list[Path]:
        erased.unlink(missing_ok=True)
        return [path]

    monkeypatch.setattr(recordings_folder, "files_of", files_of)
    assert [each["id"] for each in client.get("/recordings").json()["recordings"]] == [NAME]
    erased.write_text("ecg_mv\n1\n")
    assert client.get(f"/recordings/{erased.name}").json()["code"] == "recording_not_found"


def test_samples_are_the_least_and_the_most_of_each_step(
    client: httpx.Client, folder: Path
) -> None:
    read = read_recording(folder / NAME, "ECG", with_respiration=True)
    assert read.respiration_mv is not None
    for from_s, to_s, width, samples in (
        (0, SECONDS, 2000, 1),
        (1, 3, 500, 1),
        (0.4, 3.6, 50, 16),
        (0, SECONDS, 5, 256),
    ):
        query = {"from_s": from_s, "to_s": to_s, "width": width}
        told = client.get(f"/recordings/{NAME}/samples", params=query).json()
        begin = round(told["from_s"] * RATE_HZ)
        assert begin == round(from_s * RATE_HZ) // samples * samples
        assert told["step_s"] * RATE_HZ == samples
        assert len(told["ecg_mv"]["min"]) <= width + 1
        for name, signal_mv in (("ecg_mv", read.ecg_mv), ("respiration_mv", read.respiration_mv)):
            steps = np.split(signal_mv[begin:], range(samples, len(signal_mv) - begin, samples))
            shown = steps[: len(told[name]["min"])]
            for key, extreme in (("min", np.min), ("max", np.max)):
                recorded = [step[np.isfinite(step)] for step in shown]
                expected = [
                    pytest.approx(extreme(step), abs=1e-4) if len(step) else None
                    for step in recorded
                ]
                assert told[name][key] == expected
    whole = client.get(f"/recordings/{NAME}/samples?width=1500").json()
    assert [at for at, mv in enumerate(whole["ecg_mv"]["min"]) if mv is None] == [*range(600, 650)]


def test_a_stretch_that_is_none_is_refused(client: httpx.Client) -> None:
    nested = f"from_s={'[' * 5000}"
    for query in ("width=0", "width=4001", "from_s=3&to_s=1", "from_s=nan", "where=1", nested):
        answer = client.get(f"/recordings/{NAME}/samples?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
    beyond = client.get(f"/recordings/{NAME}/samples?from_s=100&to_s=1e308").json()
    assert beyond["ecg_mv"] == {"min": [], "max": []}


def test_a_download_in_another_format_is_what_qrsd_convert_writes(
    client: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    for suffix in ("edf", "csv"):
        expected = tmp_path / f"expected.{suffix}"
        assert qrsd("convert", folder / NAME, expected) == 0
        answer = client.get(f"/recordings/{NAME}/file?format={suffix}")
        assert answer.content == expected.read_bytes()
        assert f"2026-11-28T105539Z.{suffix}" in answer.headers["content-disposition"]


def test_a_download_as_it_is_is_the_file(client: httpx.Client, folder: Path) -> None:
    for query in ("", "?format=bdf"):
        assert client.get(f"/recordings/{NAME}/file{query}").content == (folder / NAME).read_bytes()
    key = pyrage.x25519.Identity.generate().to_public()
    (folder / "secret.bdf.age").write_bytes(pyrage.encrypt(b"heart", [key]))
    answer = client.get("/recordings/secret.bdf.age/file")
    assert answer.content == (folder / "secret.bdf.age").read_bytes()
    for path in ("file?format=bdf", "samples", "report"):
        answer = client.get(f"/recordings/secret.bdf.age/{path}")
        assert (answer.status_code, answer.json()["code"]) == (422, "recording_encrypted")


def test_a_wfdb_record_comes_with_all_its_files(client: httpx.Client, tmp_path: Path) -> None:
    answer = client.get(f"/recordings/{NAME}/file?format=wfdb")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "unpacked")
    [header] = (tmp_path / "unpacked").glob("*.hea")
    there = read_recording(header, "ECG")
    assert len(there.ecg_mv) == SECONDS * RATE_HZ


def test_a_report_is_what_qrsd_report_says(
    client: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    write_heart(folder / "heart.csv", seed=3)
    assert qrsd("report", folder / "heart.csv", "--out", tmp_path / "expected.json") == 0
    answer = client.get("/recordings/heart.csv/report?format=json")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.json() == json.loads((tmp_path / "expected.json").read_text())


def test_only_what_is_in_the_folder_can_be_had(client: httpx.Client, folder: Path) -> None:
    outside = Path(shutil.copy(folder / NAME, folder.parent / "outside.bdf"))
    (folder / "link.bdf").symlink_to(outside)
    shutil.copy(folder / NAME, folder / ".hidden.bdf")
    (folder / "notes.md").write_text("no recording")
    (folder / "sub").mkdir()
    shutil.copy(folder / NAME, folder / "sub" / "inner.bdf")
    inside = "link.bdf", ".hidden.bdf", "notes.md", "sub", "sub/inner.bdf"
    for name in (*inside, "../outside.bdf", "..%2foutside.bdf", str(outside), "/etc/passwd", "\0"):
        path = f"/recordings/{quote(name, safe='')}"
        for more in ("", "/samples", "/file", "/report"):
            assert client.get(path + more).status_code == 404
        assert client.request("DELETE", path, json={"confirm": name}).status_code == 404
    assert outside.exists()
    assert (folder / "sub" / "inner.bdf").exists()


def test_a_recording_is_deleted_by_whoever_says_its_name(
    client: httpx.Client, folder: Path
) -> None:
    qrsd("convert", folder / NAME, folder / "wfdb.hea")
    client.get("/recordings/wfdb.hea/samples")
    refused = client.request("DELETE", f"/recordings/{NAME}", json={"confirm": "another"})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_confirmed")
    deleted = client.request("DELETE", "/recordings/wfdb.hea", json={"confirm": "wfdb.hea"})
    assert deleted.status_code == 200
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert client.get("/recordings/wfdb.hea/samples").status_code == 404


def test_one_that_is_being_written_is_not_deleted(client: httpx.Client, folder: Path) -> None:
    with closing(BdfWriter(folder / "now.bdf", LAYOUT)) as growing:
        growing.write(noise(2 * RATE_HZ), [])
        answer = client.request("DELETE", "/recordings/now.bdf", json={"confirm": "now.bdf"})
    assert (answer.status_code, answer.json()["code"]) == (409, "recording_growing")


def test_the_recorder_is_started_marked_and_stopped(client: httpx.Client, folder: Path) -> None:
    off = client.post("/recordings/start", json={})
    assert (off.status_code, off.json()["code"]) == (409, "recorder_off")
    service = Service()
    recorder = Recorder(RecordOptions(free_mb=0), folder, str, while_worn=True)
    hearing = iter(service.waves(10_000, contact="off"))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with ControlServer(context, f"ipc://{folder.parent}/record.ipc", recorder.commands) as server:

        def work() -> None:
            recorder.take(next(hearing))
            server.socket.poll(1)
            server.answer()

        with repeating(work):
            nothing = client.post("/recordings/markers", json={"text": "too early"})
            assert (nothing.status_code, nothing.json()["code"]) == (409, "not_recording")
            started = client.post("/recordings/start", json={})
            assert started.status_code == 200
            while client.get("/recordings").json()["recorder"]["state"] != "recording":
                pass
            client.post("/recordings/markers", json={"text": "coffee"}).raise_for_status()
            stopped = client.post("/recordings/stop", json={}).json()
            assert stopped["state"] == "waiting"
    context.destroy(linger=0)
    [path] = recorder.files
    texts = [each.text for each in EdfFile(path, Reading()).annotations()]
    assert "Marker: coffee" in texts
    assert path.name in [each["id"] for each in client.get("/recordings").json()["recordings"]]
