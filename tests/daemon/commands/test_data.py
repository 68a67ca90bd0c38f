"""``qrsd data fetch`` against a made-up PhysioNet, through all that can happen on the way."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.training.leads import find_twelve_leads
from daemon.__main__ import main
from daemon.recordings import public_data
from daemon.recordings.person_folders import find_records
from tests.daemon.archive import MadeUpArchive, serving

pytest.importorskip("requests", reason="needs pip install '.[records]'")

ECG_ID, LUDB, MITDB, NSTDB = "ecgiddb/1.0.0", "ludb/1.0.1", "mitdb/1.0.0", "nstdb/1.0.0"
REC_1, REC_2 = "Person_01/rec_1", "Person_01/rec_2"


def wfdb_files(*records: str, annotators: tuple[str, ...] = ("atr",)) -> dict[str, bytes]:
    return {
        f"{record}.{suffix}": f"{record}.{suffix} ".encode() * 50
        for record in records
        for suffix in sorted((*annotators, "dat", "hea"))
    }


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[MadeUpArchive]:
    """An archive of which ECG-ID has two persons, in the place of PhysioNet."""
    made_up = MadeUpArchive()
    made_up.publish(
        ECG_ID,
        wfdb_files(REC_1, REC_2, "Person_02/rec_1")
        | {"RECORDS": b"Person_01/rec_1\n", "biometric.shtml": b"notes", "old/rec_1.dat": b"old"},
    )
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(made_up) as address:
        monkeypatch.setattr(public_data, "ARCHIVE", address)
        yield made_up


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "ecg-id"


def fetch(out: Path, name: str = "ecg-id") -> int:
    return main(["data", "fetch", name, "--out", str(out)])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def asked_for(archive: MadeUpArchive, address: str = ECG_ID) -> set[str]:
    return {path.removeprefix(f"{address}/") for path in archive.asked} - {"SHA256SUMS.txt"}


def test_it_fetches_the_records_as_they_are_and_leaves_the_rest(
    archive: MadeUpArchive, out: Path
) -> None:
    assert fetch(out) == 0
    assert contents(out) == wfdb_files(REC_1, REC_2, "Person_02/rec_1")


def test_it_says_the_licence_and_what_to_cite(
    archive: MadeUpArchive, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(out)
    said = capsys.readouterr().out
    assert "3 records in 9 files, 9 of them fetched now" in said
    assert "Licence: ODC-By 1.0" in said
    assert "Cite: Lugovaya" in said
    assert "Cite: Goldberger" in said
    assert f"qrsd evaluate identity {out}" in said


def test_without_out_the_folder_has_the_name_of_the_set(
    archive: MadeUpArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "fetch", "ecg-id"]) == 0
    assert (tmp_path / "ecg-id" / "Person_01" / "rec_1.hea").is_file()


def test_training_finds_the_people_of_ecg_id_in_it(archive: MadeUpArchive, out: Path) -> None:
    fetch(out)
    persons = [record.person for record in find_records([out])]
    assert persons == ["Person_01", "Person_01", "Person_02"]


def test_ludb_comes_without_the_folder_that_it_has_there(
    archive: MadeUpArchive, tmp_path: Path
) -> None:
    leads = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
    files = wfdb_files("data/1", "data/200", annotators=leads)
    archive.publish(LUDB, files | {"ludb.csv": b"", "LICENSE.txt": b""})
    assert fetch(tmp_path, "ludb") == 0
    assert contents(tmp_path) == {
        path.removeprefix("data/"): content for path, content in files.items()
    }
    assert find_twelve_leads(tmp_path) == [str(tmp_path / name) for name in ("1", "200")]


@pytest.mark.parametrize(
    ("address", "wanted", "left"),
    [
        (MITDB, ("100", "234"), ("x_mitdb/x_108", "102-0", "mitdbdir/100")),
        (NSTDB, ("118e24", "119e_6", "bw", "em", "ma"), ("old/118e24",)),
    ],
)
def test_of_the_other_sets_it_fetches_the_records_proper(
    address: str,
    wanted: tuple[str, ...],
    left: tuple[str, ...],
    archive: MadeUpArchive,
    out: Path,
) -> None:
    archive.publish(address, wfdb_files(*wanted, *left) | {"100.xws": b"", "RECORDS": b""})
    assert fetch(out, address.partition("/")[0]) == 0
    assert contents(out) == wfdb_files(*wanted)


def test_what_is_there_whole_is_not_fetched_again(archive: MadeUpArchive, out: Path) -> None:
    fetch(out)
    (out / f"{REC_2}.dat").unlink()
    archive.asked.clear()
    assert fetch(out) == 0
    assert asked_for(archive) == {f"{REC_2}.dat"}


@pytest.mark.parametrize("spoil", [lambda whole: whole[:70], lambda whole: b"?" + whole[1:]])
def test_half_a_file_or_another_of_its_size_is_not_taken_for_it(
    spoil: object, archive: MadeUpArchive, out: Path
) -> None:
    fetch(out)
    whole = (out / f"{REC_1}.dat").read_bytes()
    (out / f"{REC_1}.dat").write_bytes(spoil(whole))  # type: ignore[operator]
    archive.asked.clear()
    assert fetch(out) == 0
    assert asked_for(archive) == {f"{REC_1}.dat"}
    assert (out / f"{REC_1}.dat").read_bytes() == whole


@pytest.mark.parametrize("mishap", ["breaks off", "altered", "busy"])
def test_a_mishap_is_made_good_by_a_second_attempt(
    mishap: str, archive: MadeUpArchive, out: Path
) -> None:
    archive.mishaps[f"{ECG_ID}/{REC_1}.dat"] = [mishap]  # type: ignore[list-item]
    assert fetch(out) == 0
    assert contents(out) == wfdb_files(REC_1, REC_2, "Person_02/rec_1")


@pytest.mark.parametrize(
    ("mishap", "ending"),
    [
        ("breaks off", (75, "run the same command again, and it goes on here")),
        ("busy", (75, "503")),
        ("altered", (65, "does not come with the SHA-256")),
        ("gone", (69, "the archive answers 404")),
    ],
)
def test_what_lasts_ends_it_with_a_reason_and_the_next_run_goes_on(
    mishap: str,
    ending: tuple[int, str],
    archive: MadeUpArchive,
    out: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unlucky = f"{REC_2}.dat"
    archive.mishaps[f"{ECG_ID}/{unlucky}"] = [mishap] * 2  # type: ignore[list-item]
    exit_code, complaint = ending
    assert fetch(out) == exit_code
    said = capsys.readouterr().err
    assert unlucky in said
    assert complaint in said
    came = contents(out)
    assert came.items() <= wfdb_files(REC_1, REC_2, "Person_02/rec_1").items()
    assert f"{REC_1}.hea" in came
    assert f"{REC_2}.hea" not in came  # no record without its signal looks whole
    archive.mishaps.clear()
    archive.asked.clear()
    assert fetch(out) == 0
    assert not asked_for(archive) & set(came)
    assert contents(out) == wfdb_files(REC_1, REC_2, "Person_02/rec_1")


def test_ctrl_c_ends_it_at_once(archive: MadeUpArchive, out: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    many = public_data.PublicSet("Many", "many/1.0.0", r"(\d+\.(?:hea|dat))", "", (), "")
    archive.publish(many.address, wfdb_files(*map(str, range(100)), annotators=()))
    physionet = public_data.Archive()
    with pytest.raises(KeyboardInterrupt):
        public_data.fetch_set(physionet, physionet.records(many), out, interrupt)
    assert len(contents(out)) < 100


def test_without_a_network_it_says_so(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(public_data, "ARCHIVE", "http://127.0.0.1:9")
    assert fetch(out) == 69
    assert "cannot be reached (ConnectionError): is there a network" in capsys.readouterr().err


def test_a_network_that_answers_in_the_archives_place_is_seen_through(
    archive: MadeUpArchive, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.mishaps[f"{ECG_ID}/SHA256SUMS.txt"] = ["logs in"]
    assert fetch(out) == 69
    assert "does this network want you to log in?" in capsys.readouterr().err


def test_half_a_list_is_not_taken_for_the_set(archive: MadeUpArchive, out: Path) -> None:
    archive.mishaps[f"{ECG_ID}/SHA256SUMS.txt"] = ["breaks off"]
    assert fetch(out) == 69
    assert contents(out) == {}


def test_an_unknown_set_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["data", "fetch", "ptb-xl"])
    said = capsys.readouterr().err
    assert all(name in said for name in ("ptb-xl", "ecg-id", "mitdb", "ludb", "nstdb"))


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_fetched(
    archive: MadeUpArchive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    assert fetch(tmp_path / "taken" / "ecg-id") == 73
    assert "choose another --out" in capsys.readouterr().err
    assert not archive.asked


def test_a_full_disk_is_said_and_leaves_no_half_file(
    archive: MadeUpArchive,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(_path: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert fetch(out) == 73
    assert "No space left on device; make room" in capsys.readouterr().err
    assert contents(out) == {}
