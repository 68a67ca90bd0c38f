"""``qrsd evaluate beats`` and ``rhythm`` on a made-up heart, told by a rule of thumb."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.qrs.errors import NothingToScore
from benchmarks.rhythm import challenge, records, run
from dsp.front_end import RATE_HZ
from model import beat_network
from model.rhythm import CAUTION
from tests.benchmarks.commands.test_benchmark import write_record
from tests.daemon.commands.bigeminy import KINDS, heart
from tests.daemon.commands.command import qrsd
from tests.dsp.heartbeats import ecg
from tests.model.beat_rule import BeatRule

JOBS = ("--jobs", "1", "--mains", "50")


@pytest.fixture(autouse=True)
def rule(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (challenge, records):
        monkeypatch.setattr(module, "BeatNetwork", BeatRule)
    for module in (run, beat_network):
        monkeypatch.setattr(module, "BeatNetwork", BeatRule)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A heart whose bigeminy is marked, and the same with a pacer."""
    ecg_mv, places = heart()
    begin, end = (places[at] for at in (KINDS.index("NVNV"), KINDS.index("NVNV") + 15))
    folder = tmp_path_factory.mktemp("data") / "learnt"
    for name in ("one", "102"):
        write_record(
            folder,
            name,
            {"MLII": ecg_mv},
            sample=[1, begin - 1, end + 1, *places],
            symbol=[*"+++", *KINDS],
            note=["(N", "(B", "(N", *[""] * len(KINDS)],
        )
    return folder


def test_beats_are_scored_by_record_and_gross(
    learnt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs pip install '.[benchmark]'")
    outs = ("--json", tmp_path / "f.json", "--picture", tmp_path / "f.png")
    assert qrsd("evaluate", "beats", learnt, *outs, *JOBS) == 0
    of = json.loads((tmp_path / "f.json").read_text())["data"]["learnt"]
    assert (of["records"], of["left_out"]) == (["one"], ["102"])
    first = of["beats"]["views"][0]
    assert (first["from_s"], first["escape_beats_as"], first["without"]) == (0, "N", None)
    assert np.array(first["confusion"])[2].tolist() == [0, 0, KINDS.count("V"), 0, 0, 0]
    assert first["figures"]["V_sensitivity"]["value"] == 100
    assert first["figures"]["strip_f1"]["value"] == 100
    [row] = of["beats"]["by_record"]
    assert row["figures"]["V_predictivity"] == 100
    assert (tmp_path / "f.png").stat().st_size > 5000
    said = capsys.readouterr()
    assert "left out, for their pacemakers: 102" in said.err
    assert "learnt from 2 patients" in said.err
    assert "V +P %" in said.out
    [inter] = [line for line in said.out.splitlines() if "inter-patient: never seen" in line]
    [intra] = [line for line in said.out.splitlines() if "intra-patient: learnt from" in line]
    assert "91.00" in inter  # V Se of the rule's passport
    assert "100.00" in intra


def write_challenge(folder: Path) -> Path:
    """Write two records, one regular and one as irregular as can be."""
    folder.mkdir()
    rng = np.random.default_rng(2)
    signals = []
    for spread_s in (0.01, 0.25):
        rr_s = 0.75 + spread_s * rng.uniform(-1, 1, 60)
        places = np.round(np.cumsum(rr_s) * 300).astype(int)
        at_250 = np.round(places * RATE_HZ / 300).astype(int)
        wave = ecg(at_250, round(46 * RATE_HZ))
        times = np.arange(45 * 300) / 300 * RATE_HZ
        signals.append(np.interp(times, np.arange(len(wave)), wave))
    np.savez(
        folder / "part.npz",
        names=np.array(["A1", "A2"]),
        labels=np.array(["N", "A"]),
        lengths=np.array([len(each) for each in signals]),
        codes=np.rint(1000 * np.concatenate(signals)).astype(np.int16),
    )
    return folder


def test_episodes_are_scored_and_the_card_is_written(
    learnt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    irregular = write_challenge(tmp_path / "challenge")
    outs = ("--json", tmp_path / "f.json", "--card", tmp_path / "card.md")
    assert qrsd("evaluate", "rhythm", learnt, irregular, *outs, *JOBS) == 0
    data = json.loads((tmp_path / "f.json").read_text())["data"]
    found = data["learnt"]["episodes"]["views"][0]["episodes"]
    for name in ("bigeminy", "ventricular_run"):
        assert (found[name]["marked"], found[name]["met"], found[name]["right"]) == (1, 1, 1)
        assert found[name]["false_per_hour"]["value"] == 0
    assert data["challenge"]["fibrillation"]["all"]["sensitivity"]["percent"] == 100
    assert data["challenge"]["fibrillation"]["all"]["specificity"]["percent"] == 100
    assert CAUTION in capsys.readouterr().out
    card = (tmp_path / "card.md").read_text()
    for said in (
        CAUTION,
        "| V Se % | 100.00 |",
        "| V sensitivity | 91.0 (90.0 to 92.0) |",
        "has learnt from a data set of this name",
        "qrsd evaluate rhythm learnt challenge --card card.md",
    ):
        assert said in card


def test_beats_of_records_without_annotations_cannot_be_scored(tmp_path: Path) -> None:
    with pytest.raises(NothingToScore, match=r"no WFDB record \(.hea\)"):
        qrsd("evaluate", "beats", write_challenge(tmp_path / "challenge"), *JOBS)
