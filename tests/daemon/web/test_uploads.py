"""What is asked about a recording that comes with the request is what qrsd's commands say of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import numpy as np
import pyrage
import pytest

from config.settings import Settings
from daemon.recordings.recording import read_recording
from daemon.service.slow_commands import SlowCommands
from daemon.web import gate, uploads
from daemon.web.gate import Caller
from daemon.web.problems import Problem
from daemon.wire.control import Command
from model.gallery import Gallery
from model.network import Network
from tests.daemon.background import wait_for
from tests.daemon.commands.command import qrsd
from tests.daemon.commands.models import embedder_of_hearts, enrol
from tests.daemon.hearts import write_heart
from tests.daemon.web.serving import SOON_S, Serving, serving

FORM = "multipart/form-data; boundary=y"
ONE_FILE = b"""\
--y\r
Content-Disposition: form-data; name="file"; filename="a\\ud800-.csv"\r
\r
1\r
--y--\r
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada's heart, twice; a gallery that knows her; and a file that is no recording."""
    folder = tmp_path_factory.mktemp("uploads")
    write_heart(folder / "ada.csv", seed=3)
    write_heart(folder / "later.csv", seed=3, start_s=100)
    (folder / "broken.bdf").write_bytes(b"\xffBIOSEMI" + b"x" * 300)
    enrol(folder / "gallery.sqlite", "Ada", folder / "ada.csv", embedder_of_hearts(folder))
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Serving]:
    """A server beside the commands of a service that knows Ada."""
    network = Network(folder / "cosines.tflite")
    nobody: Any = None
    with ExitStack() as stack:
        gallery = stack.enter_context(Gallery(folder / "gallery.sqlite"))
        templates = gallery.templates(network.passport.sha256)
        slow = stack.enter_context(SlowCommands(network, Settings(), nobody, lambda: templates))
        commands: dict[str, Command] = slow.commands
        yield stack.enter_context(serving(folder, nullcontext(commands)))


@pytest.fixture
def client(served: Serving) -> Iterator[httpx.Client]:
    with served.client() as client:
        client.timeout = httpx.Timeout(60)
        yield client


def files(*paths: Path, name: str = "file") -> list[tuple[str, tuple[str, bytes]]]:
    more = "more" if name == "file" else f"{name}_more"
    names = (name, *[more] * (len(paths) - 1))
    return [(part, (path.name, path.read_bytes())) for part, path in zip(names, paths, strict=True)]


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """Return what a command prints of one recording, in JSON."""
    capsys.readouterr()
    qrsd(*arguments, "--json")
    answer = json.loads(capsys.readouterr().out)
    told = answer["records"][0] | {"caution": answer.get("caution")}
    del told["record"]
    return dict(told)


def test_the_heartbeats_are_those_that_qrsd_detect_finds(
    client: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    answer = client.post("/detect", files=files(folder / "ada.csv")).json()
    assert qrsd("detect", folder / "ada.csv", "--out", tmp_path) == 0
    expected = [int(line) for line in (tmp_path / "ada.txt").read_text().split()]
    assert [round(250 * beat["at_s"]) for beat in answer["beats"]] == expected
    intervals = [beat["rr_s"] for beat in answer["beats"]]
    assert intervals[1:] == pytest.approx((np.diff(expected) / 250).tolist(), abs=1e-3)
    assert answer["duration_s"] == 20
    good = [beat for beat in answer["beats"] if beat["flaws"] == []]
    assert len(good) > 10
    ecg_mv = read_recording(folder / "ada.csv").ecg_mv
    assert max(answer["ecg_mv"]["max"]) == pytest.approx(ecg_mv.max(), abs=1e-4)
    assert answer["ecg_mv"]["to_s"] == 20


@pytest.mark.parametrize("request_", ["detect", "identify", "variability", "anomaly"])
def test_who_sends_an_encrypted_file_is_told_what_to_do_with_it(
    client: httpx.Client, folder: Path, tmp_path: Path, request_: str
) -> None:
    key = pyrage.x25519.Identity.generate()
    sealed, identity, plain = (tmp_path / name for name in ("a.csv.age", "key", "a.csv"))
    sealed.write_bytes(pyrage.encrypt((folder / "ada.csv").read_bytes(), [key.to_public()]))
    identity.write_text(str(key))
    identity.chmod(0o600)
    answer = client.post(f"/{request_}", files=files(sealed))
    assert (answer.status_code, answer.json()["code"]) == (422, "recording_encrypted")
    [advised] = re.findall("qrsd (convert) FILE.age FILE --identity KEY", answer.json()["detail"])
    assert qrsd(advised, sealed, plain, "--identity", identity) == 0
    assert client.post(f"/{request_}", files=files(plain)).status_code == 200


def test_variability_is_what_qrsd_hrv_says(
    client: httpx.Client, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.post("/variability", files=files(folder / "ada.csv")).json()
    expected = said(capsys, "hrv", folder / "ada.csv")
    assert answer | {"caution": None} == expected
    assert answer["intervals"] > 10


def test_anomaly_is_what_qrsd_rhythm_says(
    client: httpx.Client, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.post("/anomaly", files=files(folder / "ada.csv")).json()
    assert answer == said(capsys, "rhythm", folder / "ada.csv")
    assert "not a medical device" in answer["caution"]


def test_whose_it_is_is_what_qrsd_identify_says(
    client: httpx.Client, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = ("--gallery", folder / "gallery.sqlite", "--model", folder / "cosines.tflite")
    expected = said(capsys, "identify", folder / "later.csv", *known)
    del expected["caution"]
    assert (expected["state"], expected["person"]) == ("accepted", "Ada")
    answer = client.post("/identify", files=files(folder / "later.csv")).json()
    assert answer.pop("seconds") == 20
    assert answer.pop("good_beats") >= answer["beats"]
    assert answer == expected


def test_who_may_not_hear_names_hears_none(
    client: httpx.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "THIS_MACHINE", Caller(frozenset({"live", "recordings"})))
    answer = client.post("/identify", files=files(folder / "later.csv")).json()
    assert (answer["state"], answer["person"]) == ("accepted", None)


def test_two_are_compared_as_qrsd_verify_does(
    client: httpx.Client, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = folder / "ada.csv", folder / "later.csv"
    both = files(one, name="first") + files(other, name="second")
    answer = client.post("/verify", files=both).json()
    capsys.readouterr()
    assert qrsd("verify", one, other, "--model", folder / "cosines.tflite", "--json") == 0
    expected = json.loads(capsys.readouterr().out)
    del expected["records"]
    assert answer == expected
    ecg_mv = [read_recording(path).ecg_mv.round(6).tolist() for path in (one, other)]
    numbers = client.post("/verify", json={"first_mv": ecg_mv[0], "second_mv": ecg_mv[1]}).json()
    assert numbers == expected


def test_numbers_may_have_gaps_and_another_rate(client: httpx.Client, folder: Path) -> None:
    ecg_mv = np.repeat(read_recording(folder / "ada.csv").ecg_mv.round(6), 2).tolist()
    ecg_mv[5000:5500] = [None] * 500
    answer = client.post("/detect", json={"ecg_mv": ecg_mv, "rate_hz": 500}).json()
    at_s = [beat["at_s"] for beat in answer["beats"]]
    assert len(at_s) > 15
    assert not [at for at in at_s if 10.1 < at < 10.9]
    assert answer["duration_s"] == pytest.approx(20, abs=0.01)


def test_a_record_of_several_files_is_read(
    client: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    assert qrsd("convert", folder / "ada.csv", tmp_path / "ada.hea") == 0
    parts = [tmp_path / f"ada{suffix}" for suffix in (".hea", ".dat", ".atr")]
    answer = client.post("/detect", files=files(*parts)).json()
    expected = client.post("/detect", files=files(folder / "ada.csv")).json()
    assert answer["beats"] == expected["beats"]
    both = files(*parts, name="first") + files(*parts, name="second")  # of one name
    assert client.post("/verify", files=both).json()["same"] is True


def test_numbers_beyond_all_measure_are_no_numbers(client: httpx.Client) -> None:
    answer = client.post("/detect", json={"ecg_mv": [1e300, -1e300] * 300})
    told = json.loads(answer.text, parse_constant=pytest.fail)
    assert told["beats"] == []
    assert set(told["ecg_mv"]["min"]) == {None}


@pytest.mark.parametrize(
    "name", ["Mu\u0308ller.csv", "Ada's.csv", "\U0001f493 #2 [1] 100% & so.csv", "心" * 65 + ".csv"]
)
def test_files_may_be_called_as_people_call_them(client: httpx.Client, name: str) -> None:
    answer = client.post("/detect", files=[("file", (name, b"ecg_mv\n" + b"0.1\n" * 500))])
    assert (answer.status_code, answer.json().get("duration_s")) == (200, 2)


@pytest.mark.parametrize("question", ["detect", "identify", "variability", "anomaly"])
def test_a_bad_file_is_told_in_qrsds_own_words(
    client: httpx.Client, folder: Path, question: str
) -> None:
    answer = client.post(f"/{question}", files=files(folder / "broken.bdf"))
    assert answer.status_code == 422
    assert answer.json()["code"] == "recording_unusable"
    assert answer.json()["detail"].startswith("broken.bdf is no EDF or BDF file: ")


def test_a_header_cannot_have_the_heart_of_another_folder_read(
    client: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    assert qrsd("convert", folder / "ada.csv", tmp_path / "ada.hea") == 0
    text = (tmp_path / "ada.hea").read_text()
    for elsewhere in (
        *(f"\n{tmp_path}/ada.dat", "\n../ada.dat", "\nsub/ada.dat", "\n./3/ada.dat"),
        *(f"{end}/ada.dat" for end in ("\r", "\x0b", "\x1c", "\x85", "\u2028", "\n\u3000")),
    ):
        (tmp_path / "other.hea").write_text(text.replace("\nada.dat", elsewhere))
        answer = client.post("/detect", files=files(tmp_path / "other.hea"))
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
        assert "names files of other folders" in answer.json()["detail"]
    segments = f"rec/2 1 250 5000\n{tmp_path}/ada 2500\n../ada 2500\n"
    answer = client.post("/detect", files=[("file", ("rec.hea", segments.encode()))])
    assert "names files of other folders" in answer.json()["detail"]


@pytest.mark.parametrize(
    "content",
    [
        {"files": [("file", ("../up.csv", b"1\n2\n"))]},
        {"files": [("file", ("/etc/up.csv", b"1\n2\n"))]},
        {"files": [("file", (".hidden.csv", b"1\n2\n"))]},
        {"files": [("file", ("-option.csv", b"1\n2\n"))]},
        {"files": [("file", ("..\\up.csv", b"1\n2\n"))]},
        {"files": [("file", ("心" * 80 + ".csv", b"1\n2\n"))]},
        {"files": [("file", ("a.csv", b"1")), ("file", ("b.csv", b"1"))]},
        {"files": [("file", ("a.csv", b"1")), ("more", ("a.csv", b"1"))]},
        {"files": [("another", ("a.csv", b"1"))]},
        {"files": [("file", ("a.csv", b"1")), *[("more", (f"{n}.csv", b"1")) for n in range(9)]]},
        {"json": {"ecg_mv": []}},
        {"json": {"ecg_mv": ["1"]}},
        {"json": {"ecg_mv": [True]}},
        {"json": {"ecg_mv": "1"}},
        {"json": {"ecg_mv": [1.0], "rate_hz": 0}},
        {"json": {"ecg_mv": [1.0], "rate_hz": 1e9}},
        {"json": {"ecg_mv": [None]}},
        {"json": {}},
        {"content": ONE_FILE, "headers": {"content-type": f"{FORM}; charset=punycode"}},
        {"content": ONE_FILE, "headers": {"content-type": f"{FORM}; charset=unicode_escape"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=y"}},
    ],
    ids=str,
)
def test_what_is_no_recording_is_refused(client: httpx.Client, content: Any) -> None:
    answer = client.post("/detect", **content)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_when_two_are_worked_on_others_come_again(
    client: httpx.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()
    begun = []

    async def work(*_: object, **__: object) -> bytes:
        begun.append(True)
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        raise Problem(422, "recording_unusable", "enough")

    monkeypatch.setattr(uploads, "run", work)
    heart = files(folder / "broken.bdf")
    with ThreadPoolExecutor(2) as others:
        working = [others.submit(client.post, "/detect", files=heart) for _ in range(2)]
        wait_for(lambda: len(begun) == 2, SOON_S)
        answer = client.post("/detect", files=heart)
        go_on.set()
        assert [each.result().status_code for each in working] == [422, 422]
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["retry-after"]) > 0
    assert client.post("/detect", files=heart).status_code == 422
