"""What was heard stands in the files, of an hour each, and only while somebody is there."""

from __future__ import annotations

import resource
import shutil
import signal
from collections import namedtuple
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyrage
import pytest

from config.settings import RecordOptions
from daemon.apps import record
from daemon.apps.record import MarkerRefused, NothingRecorded, Recorder
from daemon.recordings.bdf_repair import repair_folder
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.errors import RecordingNotWritten
from daemon.recordings.recorded import THE_END, Layout, RecordingWriter
from daemon.recordings.signal_file import Reading
from daemon.recordings.writers import open_writer
from daemon.wire.answers import RecorderAnswer
from daemon.wire.client import Item, Silent
from tests.daemon.apps.made_up_service import BEGIN, RATE_HZ, Service, array

OPTIONS = RecordOptions(free_mb=0)


def take_all(recorder: Recorder, items: Iterable[Item]) -> None:
    for item in items:
        recorder.take(item)


def recorded(folder: Path, items: Iterable[Item], **how: object) -> list[EdfFile]:
    with Recorder(OPTIONS, folder, str, **how) as recorder:  # type: ignore[arg-type]
        take_all(recorder, items)
    return [EdfFile(path, Reading()) for path in recorder.files]


def codes_of(file: EdfFile) -> np.ndarray:
    columns = [np.concatenate([codes for codes, _ in file.codes(n)]) for n in (0, 1)]
    return np.column_stack(columns)


def words(file: EdfFile) -> list[tuple[int, str]]:
    return [(each.sample, each.text) for each in file.annotations() if each.text != THE_END]


def test_all_that_was_heard_is_in_the_file(tmp_path: Path) -> None:
    service = Service()
    items = [*service.waves(1), service.peak(200), *service.waves(1.5)]
    [file] = recorded(tmp_path, items, name="bench")
    assert np.array_equal(codes_of(file), array(0, 625))
    assert words(file) == [(200, "R peak")]
    assert file.begin_utc == BEGIN
    assert [path.name for path in tmp_path.iterdir()] == ["bench-2026-11-28T100000Z.bdf"]


def test_an_hour_is_a_file_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "HOUR_S", 3)
    first, second = recorded(tmp_path, Service().waves(5, lead_off=[(100, 2000)]))
    assert np.array_equal(codes_of(first), array(0, 750))
    assert np.array_equal(codes_of(second), array(750, 500))
    assert second.begin_utc == BEGIN + timedelta(seconds=3)
    assert (words(first), words(second)) == ([(100, "Lead off")], [(0, "Lead off")])


def test_while_somebody_wears_the_electrodes_with_the_seconds_before_and_after(
    tmp_path: Path,
) -> None:
    service = Service()
    items = [
        *service.waves(60, contact="off"),
        *service.waves(20),
        *service.waves(50, contact="off"),
        *service.waves(3),
    ]
    first, second = recorded(tmp_path, items, while_worn=True)
    begin = round((first.begin_utc - BEGIN).total_seconds())
    assert 28 <= begin <= 31  # the status is said each second, and a second is heard of after it
    length = len(codes_of(first)) / RATE_HZ
    assert 60 - begin + 20 + 28 <= length <= 60 - begin + 20 + 31
    assert np.array_equal(codes_of(first), array(begin * RATE_HZ, round(length * RATE_HZ)))
    # What was between is in neither twice.
    assert (second.begin_utc - first.begin_utc).total_seconds() >= length
    assert len(codes_of(second)) / RATE_HZ > 3


def test_nobody_is_no_recording(tmp_path: Path) -> None:
    assert recorded(tmp_path, Service().waves(40, contact="off"), while_worn=True) == []


def test_it_ends_after_the_time_that_it_was_given(tmp_path: Path) -> None:
    service = Service()
    with Recorder(OPTIONS, tmp_path, str, for_s=2) as recorder:
        for item in service.waves(10):
            recorder.take(item)
            if recorder.is_done:
                break
    assert service.index < 5 * RATE_HZ
    assert len(codes_of(EdfFile(recorder.files[0], Reading()))) == 2 * RATE_HZ


def test_a_marker_is_at_the_moment_that_it_was_made(tmp_path: Path) -> None:
    service = Service()
    with Recorder(OPTIONS, tmp_path, str) as recorder:
        with pytest.raises(NothingRecorded):
            recorder.mark("too early")
        take_all(recorder, service.waves(3))
        assert recorder.mark("coffee") == recorder.state()
        take_all(recorder, service.waves(2))
    assert words(EdfFile(recorder.files[0], Reading())) == [(749, "Marker: coffee")]


@pytest.mark.parametrize(("text", "there"), [("", 0), ("\n ", 0), ("\xe9" * 97, 194)])
def test_a_marker_that_says_nothing_or_too_much_is_refused(
    tmp_path: Path, text: str, there: int
) -> None:
    with Recorder(OPTIONS, tmp_path, str) as recorder:
        take_all(recorder, Service().waves(3))
        with pytest.raises(MarkerRefused, match=f"1 to 192 bytes of text, and this one {there}"):
            recorder.mark(text)
        recorder.mark("x" * 192)
    [(_, said)] = words(EdfFile(recorder.files[0], Reading()))
    assert said == "Marker: " + "x" * 192


def test_a_service_that_is_silent_is_spoken_of_once_until_it_is_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    silence = [Silent(1.0), Silent(6.0), Silent(7.0)]
    recorded(tmp_path, [*silence, *Service().waves(3), *silence])
    assert [r.message for r in caplog.records if "nothing is heard" in r.message][1:] == [
        "nothing is heard, so nothing is recorded: is the service running? systemctl status qrsd"
    ]


def test_start_records_at_once_whoever_wears_what_until_stop(tmp_path: Path) -> None:
    service = Service()
    with Recorder(OPTIONS, tmp_path, str, while_worn=True) as recorder:
        take_all(recorder, service.waves(60, contact="off"))
        assert recorder.state() == RecorderAnswer("waiting")
        recorder.start()
        take_all(recorder, service.waves(40, contact="off"))
        state = recorder.state()
        assert (state.state, state.file) == ("recording", recorder.files[0].name)
        assert state.seconds is not None
        assert 38 <= state.seconds <= 41
        recorder.mark("the end")
        recorder.stop()
        assert recorder.state() == RecorderAnswer("waiting")
        take_all(recorder, service.waves(40, contact="off"))
    [file] = [EdfFile(path, Reading()) for path in recorder.files]
    begin = round((file.begin_utc - BEGIN).total_seconds())
    assert 58 <= begin <= 60  # what is held back when it starts is in it
    assert np.array_equal(codes_of(file), array(begin * RATE_HZ, (100 - begin) * RATE_HZ))
    assert words(file)[-1] == (len(codes_of(file)) - 1, "Marker: the end")


def test_stop_holds_until_the_electrodes_are_put_on_anew(tmp_path: Path) -> None:
    service = Service()
    with Recorder(OPTIONS, tmp_path, str, while_worn=True) as recorder:
        with pytest.raises(NothingRecorded, match="nothing to end"):
            recorder.stop()
        take_all(recorder, service.waves(10))
        recorder.stop()
        take_all(recorder, service.waves(50))
        take_all(recorder, service.waves(10, contact="off"))  # a loose electrode
        take_all(recorder, service.waves(10))
        assert len(recorder.files) == 1
        take_all(recorder, service.waves(40, contact="off"))
        take_all(recorder, service.waves(10))
    first, second = [EdfFile(path, Reading()) for path in recorder.files]
    assert np.array_equal(codes_of(first), array(0, 10 * RATE_HZ))
    begin_s = (second.begin_utc - BEGIN).total_seconds()
    assert 100 < begin_s <= 120  # nothing of what was worn while it was stopped
    assert len(codes_of(second)) == (130 - begin_s) * RATE_HZ


def test_one_by_hand_goes_on_after_stop_only_by_start(tmp_path: Path) -> None:
    service = Service()
    with Recorder(OPTIONS, tmp_path, str) as recorder:
        take_all(recorder, service.waves(3))
        recorder.stop()
        take_all(recorder, service.waves(60, contact="off"))
        take_all(recorder, service.waves(5))
        assert len(recorder.files) == 1
        recorder.start()
        take_all(recorder, service.waves(5))
    assert len(recorder.files) == 2


def test_a_gap_of_minutes_ends_the_file(tmp_path: Path) -> None:
    service = Service()
    items = list(service.waves(2))
    service.index += 100 * RATE_HZ
    first, second = recorded(tmp_path, [*items, *service.waves(2)])
    assert np.array_equal(codes_of(first), array(0, 500))
    assert np.array_equal(codes_of(second), array(25500, 500))


def test_a_gap_over_the_hour_is_one_in_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "HOUR_S", 3)
    service = Service()
    items = list(service.waves(2.5))
    service.index += 2 * RATE_HZ
    first, second = recorded(tmp_path, [*items, *service.waves(1.5)])
    assert words(first)[0] == (625, "Lost samples")
    assert words(second)[0] == (0, "Lost samples")
    lost = [np.concatenate([lost for _, lost in file.codes(1)]) for file in (first, second)]
    assert [int(each.sum()) for each in lost] == [125, 375]
    assert np.array_equal(codes_of(second)[375:], array(1125, 375))


@pytest.mark.parametrize(
    ("before", "step"),
    [
        (BEGIN, timedelta(hours=5)),
        (BEGIN, timedelta(hours=-3)),
        (BEGIN, timedelta(seconds=-2)),
        (datetime(1970, 1, 1, tzinfo=UTC), BEGIN - datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_clock_that_is_set_begins_a_file_of_the_right_time(
    tmp_path: Path, before: datetime, step: timedelta
) -> None:
    service = Service(begin=before)
    items = list(service.waves(10))
    service.begin += step
    first, second = recorded(tmp_path, [*items, *service.waves(10)])
    set_to = before + step + timedelta(seconds=10)
    assert second.begin_utc == set_to
    assert {path.stem for path in tmp_path.iterdir()} == {
        f"{begin:%Y-%m-%dT%H%M%SZ}" for begin in (before, set_to)
    }
    assert np.array_equal(np.concatenate([codes_of(first), codes_of(second)]), array(0, 5000))


def test_a_clock_that_is_corrected_goes_on_in_the_file(tmp_path: Path) -> None:
    service = Service()
    items = list(service.waves(5))
    service.begin += timedelta(seconds=0.4)
    [file] = recorded(tmp_path, [*items, *service.waves(5)])
    assert np.array_equal(codes_of(file), array(0, 2500))


def test_of_two_recorders_that_begin_at_once_each_has_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_second(path: Path, layout: Layout, sync_s: float) -> RecordingWriter:
        monkeypatch.setattr(record, "open_writer", open_writer)
        path.write_text("the other's")
        return open_writer(path, layout, sync_s)

    monkeypatch.setattr(record, "open_writer", open_second)
    [file] = recorded(tmp_path, Service().waves(2))
    assert np.array_equal(codes_of(file), array(0, 500))
    assert (tmp_path / "2026-11-28T100000Z.bdf").read_text() == "the other's"


def test_a_disk_that_is_full_in_the_middle_costs_no_whole_record(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    recorder = Recorder(OPTIONS, tmp_path, str)
    try:
        with pytest.raises(RecordingNotWritten, match="File too large"):
            take_all(recorder, Service().waves(60))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    [path] = tmp_path.iterdir()
    repair_folder(tmp_path)
    record_bytes, header_bytes = 3 * (2 * RATE_HZ + 100), 4 * 256
    records = (20_000 - header_bytes) // record_bytes
    assert path.stat().st_size == header_bytes + records * record_bytes
    assert np.array_equal(codes_of(EdfFile(path, Reading())), array(0, records * RATE_HZ))


def test_each_finished_file_is_encrypted_and_the_plain_one_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "HOUR_S", 3)
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(str(key))
    folder = tmp_path / "recordings"
    service = Service()
    with Recorder(OPTIONS, folder, str, keys=[key.to_public()]) as recorder:
        take_all(recorder, service.waves(5))
        assert sorted(path.name for path in folder.iterdir()) == [
            "2026-11-28T100000Z.bdf.age",
            "2026-11-28T100003Z.plain.bdf",
        ]
        # What is written now is another recording, whatever becomes of that before.
        take_all(Recorder(OPTIONS, folder, str, keys=[key.to_public()]), Service().waves(2))
        assert (folder / "2026-11-28T100000Z-2.plain.bdf").exists()
    files = [EdfFile(path, Reading(identity=tmp_path / "key.txt")) for path in recorder.files]
    assert [len(codes_of(file)) for file in files] == [750, 500]
    assert [path.suffix for path in recorder.files] == [".age", ".age"]


@pytest.mark.parametrize("keys", [(), (pyrage.x25519.Identity.generate().to_public(),)])
def test_what_a_recording_is_called_after_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, keys: Sequence[pyrage.x25519.Recipient]
) -> None:
    caplog.set_level("INFO")
    recorded_with = Recorder(OPTIONS, tmp_path, str, name="Ada B-2 Lovelace", keys=keys)
    with recorded_with as recorder:
        take_all(recorder, Service().waves(3))
    assert recorder.files[0].name.startswith("Ada B-2 Lovelace-2026-11-28T100000Z")
    told = [record.getMessage() for record in caplog.records if "2026-11-28" in record.message]
    assert len(told) == 2
    assert not any(part in line for line in told for part in ("Ada", "B-2", "Lovelace"))


def test_a_file_of_the_same_second_is_not_overwritten(tmp_path: Path) -> None:
    for _ in range(2):
        recorded(tmp_path, Service().waves(2))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["2026-11-28T100000Z-2.bdf", "2026-11-28T100000Z.bdf"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.touch()
    with pytest.raises(RecordingNotWritten, match=r"recordings cannot be written: File exists;"):
        recorded(folder, Service().waves(2))


def test_a_disk_with_little_room_ends_it_with_a_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    free = iter([600e6] * 4 + [400e6])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(next(free)))
    recorder = Recorder(replace(OPTIONS, free_mb=500), tmp_path, str)
    with pytest.raises(RecordingNotWritten, match="Less than 500 MB are left on the disk"):
        take_all(recorder, Service().waves(20))
    assert len(codes_of(EdfFile(recorder.files[0], Reading()))) == 4 * RATE_HZ
