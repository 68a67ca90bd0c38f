"""The evaluation of identity: on hand-made scores, and end to end with few people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.identity import learning_curve
from benchmarks.identity.angles import ANGLES_DEG, Side, score_by_angle
from benchmarks.identity.chain import _search_groups
from benchmarks.identity.figures import mean_rate
from benchmarks.identity.learning_curve import reduced
from benchmarks.identity.plan import FoldJob, People, Session, plan_folds
from dsp.signals import BeatQuality, BeatWindow
from model.error_rates import Trials, equal_error_rate, error_rates, fmr_at_fnmr
from model.training.datasets import Hearts, Others
from model.training.errors import TooLittleData
from model.training.evaluate import Scores
from tests.benchmarks.training.one_each_set import names_for, write_set
from tests.daemon.commands.command import qrsd
from tests.model.training.crowd import crowd

GOOD = BeatQuality(1.0, ())


def people(persons: int) -> People:
    beats = crowd(persons)
    records = dict(zip(beats.records.tolist(), beats.persons.tolist(), strict=True))
    events = tuple(BeatWindow(250 * second, 1.0, (), GOOD) for second in range(12))
    return People(beats, tuple(Session(record, whose, events) for record, whose in records.items()))


def jobs(persons: int, sides: tuple[Side, ...] = ()) -> list[FoldJob]:
    return list(plan_folds(people(persons), folds=3, seeds=2, steps=1, sides=sides))


def side(heart: str, angle_deg: int | None) -> Side:
    halves = np.arange(8) < 4
    return Side(heart, angle_deg, np.zeros((8, 175)), halves)


def scores(corrected: list[list[float]]) -> Scores:
    """Persons 0, 1... are enrolled, and probed once each."""
    matrix = np.array(corrected)
    persons = np.arange(len(matrix))
    return Scores(matrix, matrix, persons, persons, np.zeros(len(matrix), dtype=bool))


def test_nobody_is_judged_who_was_trained_on() -> None:
    for job in jobs(9):
        assert not set(job.known.names) & set(job.unseen.names)
        assert {session.person for session in job.sessions} == set(job.unseen.names)


def test_everybody_is_judged_once_for_each_seed() -> None:
    for seed in (1, 2):
        judged = [name for job in jobs(9) if job.seed == seed for name in job.unseen.names]
        assert sorted(judged) == sorted(crowd(9).names)


def test_hearts_of_many_leads_are_split_as_well() -> None:
    hearts = [f"h{number}" for number in range(6)]
    sides = tuple(side(heart, angle) for heart in hearts for angle in (None, *ANGLES_DEG))
    others = Others(hearts=Hearts(np.zeros((6, 3, 235)), np.array(hearts)))
    planned = plan_folds(people(9), folds=3, seeds=1, steps=1, others=others, sides=sides)
    for job in planned:
        assert job.others.hearts is not None
        judged = {each.heart for each in job.sides}
        assert len(judged) == 2
        assert {*hearts} - judged == set(job.others.hearts.names)


def test_a_learning_curve_leaves_persons_out_of_the_training_alone() -> None:
    [job, *_] = plan_folds(people(12), folds=3, seeds=1, steps=1, others=Others((crowd(20),)))
    few, half, alone = reduced(job, 0.25, 1), reduced(job, 0.5, 0.25), reduced(job, 1, 0)
    assert set(few.known.names) < set(half.known.names) < set(job.known.names)
    assert [len(device.names) for device in half.others.devices] == [5]
    assert alone.others.devices == ()
    assert alone.known.names == job.known.names
    assert few.unseen is half.unseen is alone.unseen is job.unseen


def test_a_learning_curve_has_a_point_for_each_share_and_one_for_everybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Trials(np.array([0.9, 0.2]), np.array([0, 0]), np.array([0, 1]), np.ones(2))

    def embed(jobs: Sequence[FoldJob], *_: object) -> list[Any]:
        return [SimpleNamespace(job=job, trials=[parts] * 10) for job in jobs]

    monkeypatch.setattr(learning_curve, "embed_folds", embed)
    planned = plan_folds(people(12), folds=3, seeds=1, steps=1, others=Others((crowd(16),)))
    points = learning_curve.learning_curve(embed(list(planned)), [], None, lambda *_: print)
    assert [(point.persons, point.others) for point in points] == [
        (2, 16),
        (4, 16),
        (8, 0),
        (8, 2),
        (8, 4),
        (8, 8),
        (8, 16),
    ]
    assert all(point.eer["own"]["percent"] == 0 for point in points)


def test_too_few_persons_are_refused() -> None:
    with pytest.raises(TooLittleData, match="3 folds need 6 or more"):
        jobs(5)


def test_strangers_below_every_enrolled_person_are_never_accepted() -> None:
    trials = _search_groups(jobs(9)[0], scores((10 * np.eye(8)).tolist()))
    assert trials.mated.mean() == pytest.approx(6 / 8)
    assert fmr_at_fnmr(trials) == 0


def test_an_enrolled_person_whom_another_outscores_is_missed_at_any_threshold() -> None:
    matrix = 10 * np.eye(8)
    matrix[:, 0] = np.arange(8)  # person 0's probe is likest to person 7's template
    matrix[7, 7] = 20
    trials = _search_groups(jobs(9)[0], scores(matrix.tolist()))
    mine = trials.where((trials.probe_of == 0) & trials.mated)
    assert len(mine.scores) > 0
    assert np.isneginf(mine.scores).all()
    assert error_rates(trials, -1e9)[1] > 0


def test_a_second_fitting_helps_a_probe_that_looks_like_it() -> None:
    hearts = ("a", "b")
    sides, embeddings = [], []
    for number, heart in enumerate(hearts):
        lead_i, elsewhere = np.eye(6)[2 * number], np.eye(6)[2 * number + 1]
        for angle in (None, *ANGLES_DEG):
            sides.append(side(heart, angle))
            embeddings += [elsewhere if angle in (None, 60) else lead_i] * 8
    cohort = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
    found = score_by_angle(tuple(sides), np.array(embeddings, dtype=np.float32), cohort, hearts)
    assert equal_error_rate(found[1, 0].trials) == 0
    assert equal_error_rate(found[2, 60].trials) == 0
    assert np.diag(found[1, 60].cosines).tolist() == [0, 0]
    assert np.diag(found[2, 60].cosines).tolist() == [1, 1]


def test_the_interval_of_a_mean_counts_persons_and_not_trials() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 50).tolist()
    persons = np.repeat([0, 1, 2, 3], 50).tolist()
    figure = mean_rate(values, persons)
    assert figure["percent"] == 50
    assert figure["interval_95"] == [0, 100]


@pytest.mark.train
def test_the_command_measures_draws_and_writes_its_card(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="needs the [train] extra")
    from tests.benchmarks.commands.test_train import write_record

    for seed in range(8):
        for record in (0, 1):
            path = tmp_path / "people" / f"Person_{seed}" / f"rec_{record}.csv"
            write_record(path, seed, 40 * record, 20)
    written = [tmp_path / name for name in ("figures.json", "pictures", "card.md")]
    places = zip(("--json", "--pictures", "--card"), written, strict=True)
    arguments = [part for pair in places for part in pair]

    people, watch = tmp_path / "people", tmp_path / "watch"
    write_set(watch, names_for("test", 8), ["N"] * 8, [1] * 8, seconds=30)
    options = ("--folds", 2, "--seeds", 1, "--steps", 60, "--on", watch)

    assert qrsd("evaluate", "identity", people, *options, *arguments) == 0
    figures = json.loads(written[0].read_text())
    assert figures["persons"] == 8
    assert 0 <= figures["by_beats"]["10"]["eer"]["percent"] <= 100
    assert figures["by_device"]["watch"]["persons"] == 8
    assert figures["by_device"]["watch"]["eer"]["percent"] < 50
    assert (written[1] / "det.png").stat().st_size > 0
    assert "--folds 2 --seeds 1 --steps 60" in written[2].read_text()


def test_records_of_half_an_hour_are_not_judged_by_networks_that_learned_from_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "800.hea").touch()
    with pytest.raises(SystemExit, match="2"):
        qrsd("evaluate", "identity", tmp_path, "--also", tmp_path, "--on", tmp_path)
    assert "all its people are learned from" in capsys.readouterr().err
