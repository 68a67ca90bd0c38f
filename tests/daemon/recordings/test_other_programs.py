"""What qrsd records is the same in MNE and in EDFbrowser, values, annotations and all."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import mne
import numpy as np
import pytest

from daemon.offline.converting import convert
from daemon.recordings.recorded import LOST, THE_END, Annotation
from drivers.frame import millivolts_per_count
from tests.daemon.recordings.recordings import BEGIN, LAYOUT, RATE_HZ, noise, write_bdf

CODES = np.maximum(noise(12 * RATE_HZ), LOST + 1)  # EDF has one code less
WORDS = [
    Annotation(10, "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
    Annotation(700, "R peak (noisy)"),
    Annotation(800, "Lost samples", 25),
]
TOLD = [(0.04, 0, WORDS[0].text), (2.8, 0, "R peak (noisy)"), (3.2, 0.1, "Lost samples")]
EXPORT_TO_ASCII = 7  # the place of this tool in the menu of EDFbrowser 2.00
PATIENCE_S = 60.0
BEGINNING_S = 0.123456  # after the second that the header tells


@pytest.fixture(params=["one.bdf", "one.edf"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_bdf(tmp_path / "one.bdf", CODES, WORDS)
    if request.param == "one.edf":
        convert(str(tmp_path / "one.bdf"), tmp_path / "one.edf", 50)
    return tmp_path / request.param


def assert_same(mv: np.ndarray, path: Path, rounding_mv: float = 0.0) -> None:
    """Compare values of a file's header, which has six digits, with what was recorded."""
    for number, signal in enumerate(LAYOUT.signals):
        range_mv = signal.mv_per_code * (1 << 23)
        if path.suffix == ".bdf":
            told_mv = float(f"{range_mv:.6g}")
            from_lowest = (mv[:, number] + told_mv) / (2 * told_mv / ((1 << 24) - 1))
            assert np.array_equal(np.rint(from_lowest) - (1 << 23), CODES[:, number])
        recorded_mv = CODES[:, number] * millivolts_per_count(signal.gain, 2.42)
        step_mv = 2 * range_mv / (1 << 16) if path.suffix == ".edf" else 0
        np.testing.assert_allclose(
            mv[:, number], recorded_mv, atol=step_mv + 2e-6 * range_mv + rounding_mv
        )


def test_mne_reads_the_same(path: Path) -> None:
    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    raw = read(path, preload=True, verbose="error")
    assert (raw.ch_names, raw.info["sfreq"]) == (["Resp", "ECG"], RATE_HZ)
    assert raw.info["meas_date"] == BEGIN.replace(microsecond=0)
    assert_same(1000 * raw.get_data().T, path)
    told = [
        (pytest.approx(each["onset"]), pytest.approx(each["duration"]), each["description"])
        for each in raw.annotations
        if each["description"] != THE_END
    ]
    assert told == TOLD


class Browser:
    """EDFbrowser on a screen of its own, with one file open."""

    def __init__(self, folder: Path, file: Path) -> None:
        read, write = os.pipe()
        self._screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with open(read) as told:
            number = told.readline().strip()
        home = folder / "home"
        home.mkdir(mode=0o700)
        here = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "DISPLAY": f":{number}"}
        self._environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **here}
        self._program = subprocess.Popen(
            ["edfbrowser", str(file)], cwd=folder, env=self._environment, stderr=subprocess.DEVNULL
        )  # in the folder into which it proposes to write

    def close(self) -> None:
        for process in (self._program, self._screen):
            process.terminate()
            process.wait(PATIENCE_S)

    def _xdotool(self, *arguments: str) -> list[str]:
        command = ["xdotool", *arguments]  # it fails where no window is found, or is gone meanwhile
        done = subprocess.run(
            command, check=False, env=self._environment, capture_output=True, text=True
        )
        return done.stdout.splitlines()

    def windows(self) -> dict[str, str]:
        """Return the title of each window that is seen, by its id."""
        seen = self._xdotool("search", "--onlyvisible", "--name", ".")
        return {each: title for each in seen for title in self._xdotool("getwindowname", each)}

    def window(self, *titles: str, but: str = "") -> tuple[str, str]:
        """Wait for a window with one of these titles, besides another; return its id and title."""
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            for each, title in (windows := self.windows()).items():
                if title in titles and each != but:
                    return each, title
            time.sleep(0.2)
        raise AssertionError(f"no window {titles} came, but {windows}")

    def wait_for_end(self, title: str) -> None:
        """Wait until no window has a title any more."""
        end_s = time.monotonic() + PATIENCE_S
        while title in (windows := self.windows()).values():
            assert time.monotonic() < end_s, windows
            time.sleep(0.2)

    def press(self, window: str, *keys: str) -> None:
        """Give a window some keys, as a user does."""
        self._xdotool("windowfocus", window)
        time.sleep(0.3)
        for key in keys:
            self._xdotool("key", key)
            time.sleep(0.1)


def export(browser: Browser, path: Path) -> None:
    """Have EDFbrowser write what it makes of a file beside it, as text."""
    question, title = browser.window("Add signals", "Error")
    assert title == "Add signals"
    browser.press(question, "Escape")
    browser.wait_for_end("Add signals")
    main, _ = browser.window(f"{path.name} - EDFbrowser")
    browser.press(main, "alt+o", *["Down"] * (EXPORT_TO_ASCII - 1), "Return")
    dialog, _ = browser.window("Export to ASCII")
    browser.press(dialog, "Return")
    where, _ = browser.window("Export to ASCII", but=dialog)
    browser.press(where, "Return")
    browser.wait_for_end("Export to ASCII")


@pytest.fixture
def browsers(tmp_path: Path) -> Iterator[list[Browser]]:
    if missing := [p for p in ("edfbrowser", "Xvfb", "xdotool") if not shutil.which(p)]:
        pytest.skip(f"needs {', '.join(missing)}")
    opened: list[Browser] = []
    yield opened
    for browser in opened:
        browser.close()


@pytest.mark.servers
def test_edfbrowser_shows_the_same(path: Path, browsers: list[Browser]) -> None:
    browsers.append(Browser(path.parent, path))
    export(browsers[0], path)
    rows = np.genfromtxt(path.with_name("one_data.txt"), delimiter=",", skip_header=1)
    np.testing.assert_allclose(rows[:, 0], np.arange(len(CODES)) / RATE_HZ + BEGINNING_S, atol=2e-6)
    assert_same(rows[:, 1:], path, rounding_mv=1e-6)
    with path.with_name("one_annotations.txt").open(encoding="latin-1") as lines:
        told = [
            (float(onset) - BEGINNING_S, float(length or 0), text)
            for onset, length, text in list(csv.reader(lines))[1:]
        ]
    assert [(pytest.approx(at), pytest.approx(length), text) for at, length, text in told] == TOLD


@pytest.mark.servers
def test_edfbrowser_says_what_is_wrong_with_a_broken_file(
    tmp_path: Path, browsers: list[Browser]
) -> None:
    """What the test above would see if there was something wrong with ours."""
    write_bdf(tmp_path / "bad.bdf", CODES, WORDS)
    with (tmp_path / "bad.bdf").open("r+b") as file:
        file.seek(252)
        file.write(b"9   ")  # signals
    browsers.append(Browser(tmp_path, tmp_path / "bad.bdf"))
    _, title = browsers[0].window("Add signals", "Error")
    assert title == "Error"
    assert "bad.bdf - EDFbrowser" not in browsers[0].windows().values()
