"""A picture of an ECG on paper that is sent becomes what ``qrsd digitize`` makes of it."""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from daemon.recordings.recording import OpenRecording, read_recording
from daemon.web.children import ONE_CORE
from drivers.waveforms.hearts import Heart
from tests.daemon.commands.command import qrsd
from tests.daemon.paper.conftest import scan_of_two
from tests.daemon.web.serving import serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(tmp_path_factory.mktemp("web")) as served, served.client() as client:
        client.timeout = httpx.Timeout(60)
        yield client


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scan_of_two(tmp_path_factory.mktemp("pages") / "scan.png")


def sent(client: httpx.Client, page: Path, **asked: str) -> httpx.Response:
    return client.post("/digitize", params=asked, files={"file": (page.name, page.read_bytes())})


def lower_half(page: Path) -> str:
    height, width, _ = cv2.imread(str(page)).shape
    return f"0,{height // 2},{width},{height // 2}"


def test_what_is_in_a_frame_becomes_a_recording_as_by_the_command(
    client: httpx.Client, page: Path, tmp_path: Path
) -> None:
    box = lower_half(page)
    answer = sent(client, page, box=box).json()
    assert (answer["mm_per_s"], answer["mm_per_mv"]) == (25, 10)
    assert 0.5 < answer["quality"] <= 1
    assert any("mm/s" in note for note in answer["notes"])
    (read := tmp_path / "read.bdf").write_bytes(b64decode(answer["bdf"]))
    assert qrsd("digitize", page, tmp_path / "other.bdf", "--box", box) == 0
    mv, expected = (read_recording(each).ecg_mv for each in (read, tmp_path / "other.bdf"))
    assert np.array_equal(mv, expected, equal_nan=True)
    beats = client.post("/detect", files={"file": (read.name, read.read_bytes())}).json()
    assert len(beats["beats"]) == pytest.approx(10 / 60 * Heart(5).anatomy.heart_rate_bpm, abs=2)
    assert any(note.startswith("read from paper") for note in beats["notes"])
    assert OpenRecording(read).file.names[1] == "Uncertainty"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"box": "0,0,5,5"}, "box 0,0,5,5 leaves nothing of the page"),
        ({"strip": "7"}, "strip 7: 2 strips found"),
        ({"gain": "5"}, "10 mm/mV and not gain 5"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    client: httpx.Client, page: Path, asked: dict[str, str], said: str
) -> None:
    answer = sent(client, page, **asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "page_unusable")
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"box": "left"}, "box: 'left' is not left,top,width,height in pixels"),
        ({"speed": "30"}, "speed: '30' is not one of 25, 50"),
        ({"page": "0"}, "page: 0 is below 1"),
    ],
)
def test_what_is_asked_for_is_checked_before_the_page_has_come(
    client: httpx.Client, asked: dict[str, str], said: str
) -> None:
    answer = client.post("/digitize", params=asked, files={"file": ("scan.png", b"x")})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
    assert said in answer.json()["detail"]


def test_without_the_extra_it_is_told_what_to_install(
    client: httpx.Client, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['cv2'] = None\n")
    monkeypatch.setitem(ONE_CORE, "PYTHONPATH", f"{tmp_path}:{':'.join(filter(None, sys.path))}")
    answer = sent(client, page)
    assert (answer.status_code, answer.json()["code"]) == (501, "extra_missing")
    assert "pip install '.[paper]'" in answer.json()["detail"]
