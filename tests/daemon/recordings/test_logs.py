"""Logs as devices, spreadsheets and power cuts leave them, through `qrsd detect`.

Each is a synthetic heart written in another way: what is right is what the plain file gives.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.recording import read_recording
from daemon.recordings.signal_file import Reading
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart
from tests.daemon.commands.command import qrsd

SECONDS = 20
LSB_MV = millivolts_per_count(6, 2.42)
START = datetime.fromisoformat("2026-03-29T01:59:50")


@cache
def heart_mv(rate_hz: float = 250, seconds: float = SECONDS) -> np.ndarray:
    heart = Heart(64)
    at = np.arange(round(seconds * rate_hz)) / rate_hz * 250
    return np.interp(at, np.arange(len(heart.ecg_mv)), heart.ecg_mv)


def codes(rate_hz: float = 250, seconds: float = SECONDS) -> list[int]:
    return np.rint(heart_mv(rate_hz, seconds) / LSB_MV).astype(int).tolist()


def rows(stamps: Sequence[object], values: Sequence[object], separator: str = ",") -> list[str]:
    return [f"{t}{separator}0{separator}{v}" for t, v in zip(stamps, values, strict=True)]


def seconds(count: int, rate_hz: float = 250, digits: int = 3) -> list[str]:
    return [f"{row / rate_hz:.{digits}f}" for row in range(count)]


def dates(count: int, shift: Callable[[int], timedelta], style: str) -> list[str]:
    moments = (START + timedelta(milliseconds=4 * row) + shift(row) for row in range(count))
    return [moment.strftime(style)[: 26 if "Y" in style else 15] for moment in moments]


def detect(folder: Path, content: bytes | str, *options: str, name: str = "log.csv") -> list[int]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert qrsd("detect", path, "--out", folder / "out", *options) == 0
    return [int(line) for line in (folder / "out" / f"{path.stem}.txt").read_text().split()]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    found = detect(
        tmp_path_factory.mktemp("plain"),
        "\n".join(["t,c1,c2", *rows(seconds(5000), codes())]) + "\n",
    )
    assert len(found) > 20
    return found


PLAIN = rows(seconds(5000), codes())
NONE = lambda _: timedelta()  # noqa: E731
ISO, DAY = "%Y-%m-%dT%H:%M:%S.%f", "%H:%M:%S.%f"
SAME = {
    "comments": "\n".join(["# logger v1", "# rate 250", "t,c1,c2", *PLAIN]),
    "semicolons": "\n".join(["t;c1;c2", *rows(seconds(5000), codes(), ";")]),
    "tabs": "\n".join(["t\tc1\tc2", *rows(seconds(5000), codes(), "\t")]),
    "spaces": "\n".join(["t c1 c2", *rows(seconds(5000), codes(), "  ")]),
    "sep": "\n".join(["sep=,", "t,c1,c2", *PLAIN]),
    "decimal commas": "\n".join(
        ["t;c1;c2", *rows([t.replace(".", ",") for t in seconds(5000)], codes(), ";")]
    ),
    "thousands": "\n".join(["t,c1,c2", *rows(seconds(5000), [f'"{code:,}"' for code in codes()])]),
    "trailing commas": "\n".join(["t,c1,c2", *(f"{row}," for row in PLAIN)]),
    "hexadecimal": "\n".join(
        ["t,c1,c2", *rows(seconds(5000), [f"0x{code % (1 << 24):06X}" for code in codes()])]
    ),
    "bare hexadecimal": "\n".join(
        ["t,c1,c2", *rows(seconds(5000), [f"{code % (1 << 24):06X}" for code in codes()])]
    ),
    "uint32": "\n".join(["t,c1,c2", *rows(seconds(5000), [code % (1 << 32) for code in codes()])]),
    "minus signs of Unicode": "\n".join(
        [
            "t,c1,c2",
            *rows(seconds(5000), [str(code).replace("-", "\N{MINUS SIGN}") for code in codes()]),
        ]
    ),
    "microvolts in CP437": "\n".join(
        [
            "t,ECG (µV)",
            *(f"{t},{1000 * mv:.2f}" for t, mv in zip(seconds(5000), heart_mv(), strict=True)),
        ]
    ).encode("cp437"),
    "minutes": "\n".join(
        ["time (min),c1,c2", *rows([f"{row / 15000:.8f}" for row in range(5000)], codes())]
    ),
    "stamps that jitter": "\n".join(
        ["ms,c1,c2", *rows([4 * row + 3 * (row % 3) - row % 5 for row in range(5000)], codes())]
    ),
    "16-bit counter": "\n".join(
        ["cnt,c1,c2", *rows([(n + 65_000) % 65_536 for n in range(5000)], codes())]
    ),
    "an export with its unit above": "\n".join(
        [
            "Name,Ada",
            "Sample Rate,250 hertz",
            "Lead,Lead I",
            "Unit,µV",
            "",
            *(f"{1000 * mv:.3f}" for mv in heart_mv()),
        ]
    ),
    "a German export": "\n".join(
        [
            "Name,Ada",
            'Ger\N{LATIN SMALL LETTER A WITH DIAERESIS}t,"Watch6,7"',
            'Messrate,"250,000\u00a0Hertz"',
            "",
            "Ableitung,Ableitung I",
            "Einheit,\N{MICRO SIGN}V",
            "",
            *(f"{1000 * mv:.3f}".rstrip("0").rstrip(".").replace(".", ",") for mv in heart_mv()),
        ]
    ),
    "several clocks": "\n".join(
        [
            "phone timestamp;sensor timestamp [ns];ecg [uV]",
            *(
                f"{t};{10**18 + 4 * 10**6 * row};{1000 * mv:.2f}"
                for row, (t, mv) in enumerate(zip(seconds(5000), heart_mv(), strict=True))
            ),
        ]
    ),
    "byte order mark": b"\xef\xbb\xbf" + "\n".join(["t,c1,c2", *PLAIN]).encode(),
    "utf-16": "\n".join(["t,c1,c2", *PLAIN]).encode("utf-16"),
    "latin-1": "\r\n".join(
        ["Zeit (µs),Atmung,Gerät", *rows(range(0, 20_000_000, 4000), codes())]
    ).encode("latin-1"),
    "milliseconds": "\n".join(["t,c1,c2", *rows(range(0, 20_000, 4), codes())]),
    "nanoseconds": "\n".join(
        ["ns,c1,c2", *rows(range(10**18, 10**18 + 20 * 10**9, 4 * 10**6), codes())]
    ),
    "dates": "\n".join(["time,c1,c2", *rows(dates(5000, NONE, ISO), codes())]),
    "times of day": "\n".join(["time,c1,c2", *rows(dates(5000, NONE, DAY), codes())]),
    "summer time begins": "\n".join(
        ["time,c1,c2", *rows(dates(5000, lambda n: timedelta(hours=n >= 2500), ISO), codes())]
    ),
    "summer time ends": "\n".join(
        ["time,c1,c2", *rows(dates(5000, lambda n: timedelta(hours=n < 2500), DAY), codes())]
    ),
    "midnight": "\n".join(
        ["time,c1,c2", *rows(dates(5000, lambda _: timedelta(hours=22), DAY), codes())]
    ),
    "clock set by months": "\n".join(
        ["time,c1,c2", *rows(dates(5000, lambda n: timedelta(days=150 * (n > 999)), ISO), codes())]
    ),
    "clock set back": "\n".join(
        [
            "time,c1,c2",
            *rows(dates(5000, lambda n: timedelta(seconds=-3 * (n > 999)), ISO), codes()),
        ]
    ),
    "8-bit counter": "\n".join(["n,c1,c2", *rows([n % 256 for n in range(5000)], codes())]),
    "32-bit microseconds": "\n".join(
        ["us,c1,c2", *rows([(2**32 - 10**7 + 4000 * n) % 2**32 for n in range(5000)], codes())]
    ),
    "OpenBCI": "\n".join(
        [
            "%OpenBCI Raw EXG Data",
            "%Sample Rate = 250 Hz",
            "Sample Index, EXG Channel 0, EXG Channel 1",
            *(f"{n % 256}, 0.0, {1000 * mv:.2f}" for n, mv in enumerate(heart_mv())),
        ]
    ),
    "cut short": "\n".join(["t,c1,c2", *PLAIN, "20.0,"]),
    "zeros of a power cut": "\n".join(["t,c1,c2", *PLAIN, "20.000,0" + 500 * "\0"]),
    "one column": "\n".join(map(str, codes())),
    "millivolts": "\n".join(
        ["t,ecg_mV", *(f"{t},{mv:.5f}" for t, mv in zip(seconds(5000), heart_mv(), strict=True))]
    ),
    "a line of units": "\n".join(
        [
            "'Elapsed time','MLII'",
            "'hh:mm:ss.mmm','mV'",
            *(
                f"'0:{float(t):06.3f}',{mv:.5f}"
                for t, mv in zip(seconds(5000), heart_mv(), strict=True)
            ),
        ]
    ),
}


@pytest.mark.parametrize("kind", SAME)
def test_a_heart_is_found_however_it_was_written_down(
    tmp_path: Path, plain: list[int], kind: str
) -> None:
    found = detect(tmp_path, SAME[kind], name=f"{kind}.csv")
    assert len(found) == len(plain)
    assert np.abs(np.subtract(found, plain)).max() <= 1


@pytest.mark.parametrize("rate_hz", [100, 128, 130, 200, 256, 300, 333.3, 400, 1024])
@pytest.mark.parametrize("digits", [3, 5])
def test_any_rate_is_measured_by_the_stamps(
    tmp_path: Path, plain: list[int], rate_hz: float, digits: int
) -> None:
    count = round(SECONDS * rate_hz)
    stamps = seconds(count, rate_hz, digits)
    found = detect(tmp_path, "\n".join(["t,c1,c2", *rows(stamps, codes(rate_hz))]))
    assert len(found) == len(plain)
    assert np.abs(np.subtract(found, plain)).max() <= 3


def test_rows_that_are_only_numbered_ask_for_the_rate(tmp_path: Path, plain: list[int]) -> None:
    content = "\n".join(["'sample #',I", *(f"{n},{code}" for n, code in enumerate(codes(360)))])
    with pytest.raises(AssertionError):
        detect(tmp_path, content)
    with pytest.raises(MalformedRecording, match="say it with --rate HZ"):
        read_recording(tmp_path / "log.csv")
    assert len(detect(tmp_path, content, "--rate", "360")) == len(plain)


def test_rows_missing_from_a_counter_that_wraps_are_a_gap(tmp_path: Path) -> None:
    there = [n for n in range(5000) if not 2000 <= n < 2100]
    path = tmp_path / "log.csv"
    path.write_text(
        "\n".join(["n,c1,c2", *rows([n % 256 for n in there], [codes()[n] for n in there])])
    )
    gap = np.flatnonzero(np.isnan(read_recording(path, "1").ecg_mv))
    assert np.array_equal(gap, np.arange(2000, 2100))


def test_a_signal_that_begins_late_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "\n".join(["t,c1", *(f"{4 * n},{codes()[n] if n > 999 else ''}" for n in range(5000))])
    )
    assert np.array_equal(
        np.flatnonzero(np.isnan(read_recording(path, "0").ecg_mv)), np.arange(1000)
    )


@pytest.mark.parametrize("heading", ["t,ecg_mV", "t,ecg_mV,", "t,ecg_mV,,", None])
@pytest.mark.parametrize("end", ["", ",", ",,"])
def test_commas_as_decimal_marks_between_commas_are_refused(
    tmp_path: Path, heading: str | None, end: str
) -> None:
    table = [f"{n // 250},{4 * (n % 250):03d},{n % 97 - 48},{n % 83:02d}{end}" for n in range(500)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join([heading, *table] if heading else table))
    with pytest.raises(MalformedRecording, match="commas decimal marks"):
        read_recording(path, None)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            "\n".join(["t,c1,c2", *rows(seconds(5000), [code + (1 << 23) for code in codes()])]),
            "offset binary",
        ),
    ],
    ids=["offset binary"],
)
def test_what_cannot_be_told_apart_is_refused_by_name(
    tmp_path: Path, content: str, complaint: str
) -> None:
    (tmp_path / "log.csv").write_text(content)
    with pytest.raises(MalformedRecording, match=complaint):
        read_recording(tmp_path / "log.csv", None)


@pytest.mark.parametrize("style", [ISO, DAY, "%d.%m.%Y %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f%z"])
@pytest.mark.parametrize(("change", "hours"), [("2026-03-29", (1, 2)), ("2026-10-25", (2, 1))])
@pytest.mark.parametrize("lost", [range(2600, 2900), range(2400, 2700)])  # after it, and across it
def test_summer_time_is_no_gap_and_hides_none(
    tmp_path: Path, style: str, change: str, hours: tuple[int, int], lost: range
) -> None:
    begin = datetime.fromisoformat(f"{change}T00:59:50+00:00")
    zones = [timezone(timedelta(hours=each)) for each in hours]
    there = [n for n in range(5000) if n not in lost]
    moments = [begin + timedelta(milliseconds=4 * n) for n in there]
    local = [moment.astimezone(zones[moment.hour]).strftime(style) for moment in moments]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["time,c1,c2", *rows(local, [codes()[n] for n in there])]))
    gap = np.flatnonzero(np.isnan(read_recording(path, "1").ecg_mv))
    assert np.array_equal(gap, np.array(lost))


def test_a_pause_between_bursts_is_a_gap(tmp_path: Path) -> None:
    stamps = [n // 50 * 100 + 30_000 * (n >= 5000) for n in range(10_000)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["ms,c1,c2", *rows(stamps, codes(500))]))
    recording = read_recording(path, "1")
    assert recording.notes[0] == "500 Hz by the time stamps"
    assert recording.duration_s == pytest.approx(50, abs=0.1)
    gap = np.flatnonzero(np.isnan(recording.ecg_mv))
    assert (gap[0] / 250, gap[-1] / 250) == pytest.approx((10, 40), abs=0.1)


def test_a_logger_that_stalls_and_catches_up_loses_nothing(tmp_path: Path) -> None:
    stamps = [4 * n for n in range(5000)]
    for begin in range(500, 5000, 700):  # read late, half a second at once
        stamps[begin : begin + 125] = [stamps[begin + 125]] * 125
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["ms,c1,c2", *rows(stamps, codes())]))
    assert np.isfinite(read_recording(path, "1").ecg_mv).all()


def test_a_logger_that_began_anew_after_a_power_cut_paused(tmp_path: Path) -> None:
    again = ["t,c1,c2", *PLAIN[:2500]]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["t,c1,c2", *PLAIN[:2500]]) + "\n10.000,0,-2" + "\n".join(again))
    recording = read_recording(path, "1")
    assert len(recording.ecg_mv) == 5250
    assert np.array_equal(np.flatnonzero(np.isnan(recording.ecg_mv)), np.arange(2500, 2750))
    assert any("rows cut short and left out: 1" in note for note in recording.notes)
    assert any("began anew" in note for note in recording.notes)


def test_the_signal_with_the_ecg_is_read_unless_another_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    breath = np.rint(0.5 * np.sin(2 * np.pi * 0.25 * np.arange(5000) / 250) / LSB_MV).astype(int)
    table = zip(seconds(5000), breath, codes(), strict=True)
    content = "\n".join(["timestamp,Channel 1,Channel 2", *(f"{t},{a},{b}" for t, a, b in table)])
    assert len(detect(tmp_path, content)) > 20
    assert "signal 1 (Channel 2) is read, the first with an ECG" in capsys.readouterr().err
    recording = read_recording(tmp_path / "log.csv", None, with_respiration=True)
    assert recording.respiration_mv is not None
    np.testing.assert_allclose(recording.respiration_mv, breath * LSB_MV)


@pytest.mark.parametrize(
    ("signal_mv", "options", "reason"),
    [
        (np.zeros(5000), (), "it is flat"),
        (heart_mv() / 2000, (), "it is flat: .*--unit"),
        (heart_mv()[:500], (), "too short: 2.0 s"),
        (heart_mv() + np.sin(2 * np.pi * 60 * np.arange(5000) / 250), (), "try --mains 60"),
        (heart_mv() * 4000, (), "look at unit and gain"),
        (np.sin(2 * np.pi * 50 * np.arange(5000) / 250), ("--mains", "60"), "--mains 50|50 Hz hum"),
    ],
    ids=["flat", "too small", "short", "other grid", "too large", "hum"],
)
def test_a_file_without_a_good_beat_says_why(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    signal_mv: np.ndarray,
    options: tuple[str, ...],
    reason: str,
) -> None:
    table = zip(seconds(len(signal_mv)), signal_mv, strict=True)
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["t,ecg_mV", *(f"{t},{mv:.5f}" for t, mv in table)]))
    assert qrsd("detect", path, "--out", tmp_path / "out", *options) == 65
    (line,) = (line for line in capsys.readouterr().err.splitlines() if "no good beat" in line)
    assert re.search(reason, line)


@pytest.mark.parametrize("name", ["log.csv", "log.hea"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(RecordingNotFound, match=r"regular file|pipe|no recording"):
        read_recording(tmp_path / name)


def test_a_file_of_zeros_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    with path.open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(MalformedRecording, match="over 65536 characters"):
        read_recording(path)


def test_the_user_says_what_the_file_does_not(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join(f"{mv:.6f}" for mv in heart_mv()))
    recording = read_recording(path, "0", Reading(rate_hz=500, unit="V"))
    assert len(recording.ecg_mv) == 2500
    path.write_text("\n".join(map(str, codes())))
    assert read_recording(path, "0", Reading(gain=12)).ecg_mv == pytest.approx(
        heart_mv() / 2, abs=LSB_MV
    )


def test_each_record_may_have_a_signal_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, heading in (("one", "t,c1,ecg"), ("two", "t,ecg,c2")):
        (tmp_path / f"{name}.csv").write_text("\n".join([heading, *PLAIN]))
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    detected = ["detect", *paths, "--out", tmp_path / "out", "--signal"]
    assert qrsd(*detected, "1", "--signal", "c2") == 0
    texts = [(tmp_path / "out" / f"{path.stem}.txt").read_text() for path in paths]
    assert texts[0] == texts[1] != ""
    assert qrsd(*detected, "1", "--signal", "ecg") == 65  # the second's is flat
    assert "two.csv: no good beat: it is flat" in capsys.readouterr().err
