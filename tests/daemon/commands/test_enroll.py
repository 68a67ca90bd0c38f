"""``qrsd enroll``, from a running service and from recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from daemon.commands.enroll import enrol_live
from daemon.offline.analysis import analyse
from daemon.wire.answers import Done, EnrolmentAnswer
from daemon.wire.client import Control
from daemon.wire.control import Command
from daemon.wire.errors import CommandRefused, ServiceUnavailable
from model.enrolment import keep_nearest
from model.errors import EnrolmentFailed, EnrolmentSuspect, ModelMissing, NameInvalid
from model.gallery import Gallery
from model.network import Network
from model.scores import mean_direction
from model.tensor import normalise
from tests.daemon.commands.command import qrsd, serving
from tests.daemon.hearts import write_heart
from tests.model.models import classifier, embedder


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))


class TestFromRecordings:
    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        return embedder(tmp_path)

    def enroll(self, name: str, model: Path, *arguments: str | Path) -> int:
        return qrsd("enroll", name, "--model", model, "--record", *arguments)

    def test_each_recording_becomes_a_template(self, tmp_path: Path, model: Path) -> None:
        records = [write_heart(tmp_path / f"{n}.csv", 1, start_s=30 * n) for n in range(2)]
        assert self.enroll("Ada", model, *records) == 0
        with Gallery(tmp_path / "gallery.sqlite") as gallery:
            [person] = gallery.people()
        assert person.name == "Ada"
        assert [template.source for template in person.templates] == ["recording"] * 2

    def test_a_template_is_the_mean_of_the_nearest_good_beats(
        self, tmp_path: Path, model: Path
    ) -> None:
        record = write_heart(tmp_path / "1.csv", 1)
        self.enroll("Ada", model, record)
        analysis = analyse(str(record))
        good = [beat.quality.good for beat in analysis.beats]
        embeddings = Network(model).run(normalise(analysis.windows_mv[np.array(good)]))
        with Gallery(tmp_path / "gallery.sqlite") as gallery:
            [template] = gallery.people()[0].templates
        nearest = keep_nearest(embeddings)
        assert template.beats == len(nearest)
        np.testing.assert_allclose(template.embedding, mean_direction(nearest), atol=1e-6)

    def test_a_recording_that_is_too_short_enrols_nobody(self, tmp_path: Path, model: Path) -> None:
        long = write_heart(tmp_path / "long.csv", 1)
        short = write_heart(tmp_path / "short.csv", 1, seconds=6)
        with pytest.raises(EnrolmentFailed, match=r"short\.csv: 'Ada' was not enrolled: \d good"):
            self.enroll("Ada", model, long, short)
        assert not (tmp_path / "gallery.sqlite").exists()

    def test_a_recording_that_cannot_be_read_enrols_nobody(
        self, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.enroll("Ada", model, write_heart(tmp_path / "1.csv", 1), "none.csv") == 66
        assert "none.csv" in capsys.readouterr().err
        assert not (tmp_path / "gallery.sqlite").exists()

    def test_a_recording_that_repeats_itself_enrols_nobody(
        self, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alive = write_heart(tmp_path / "alive.csv", 1)
        looped = write_heart(tmp_path / "looped.csv", 1, seconds=8, turns=4)
        with pytest.raises(EnrolmentSuspect, match=r"looped\.csv: 'Ada' was .*its beats repeat"):
            self.enroll("Ada", model, alive, looped)
        assert not (tmp_path / "gallery.sqlite").exists()
        monkeypatch.setenv("QRSD_LIVENESS_ON_SUSPICION", "warn")
        assert self.enroll("Ada", model, alive, looped) == 0

    def test_a_classifier_enrols_nobody(self, tmp_path: Path) -> None:
        record = write_heart(tmp_path / "1.csv", 1)
        with pytest.raises(EnrolmentFailed, match="knows only the group it was trained on"):
            self.enroll("Ada", classifier(tmp_path), record)

    def test_a_model_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ModelMissing):
            self.enroll("Ada", tmp_path / "none.tflite", write_heart(tmp_path / "1.csv", 1))

    def test_a_name_that_is_none_is_refused(self, tmp_path: Path, model: Path) -> None:
        with pytest.raises(NameInvalid):
            self.enroll("", model, write_heart(tmp_path / "1.csv", 1))


@pytest.mark.parametrize(
    "misplaced",
    [
        ("--gallery", "mine.sqlite"),
        ("--model", "mine.tflite"),
        ("--record", "rec_1", "--address", "tcp://pi:5294"),
    ],
)
def test_nobody_is_enrolled_elsewhere_than_asked(
    misplaced: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        qrsd("enroll", "Ada", *misplaced)
    assert caught.value.code == 2
    assert "--record" in capsys.readouterr().err.splitlines()[-1]


GATHERING = EnrolmentAnswer("gathering", "Ada", 0, 3)


def begin(person: str, beats: int) -> EnrolmentAnswer:
    assert (person, beats) == ("Ada", 3)
    return GATHERING


class TestFromAService:
    """The service is played by functions that answer as it would."""

    def enrol(self, folder: Path, **commands: Command) -> list[float]:
        waited: list[float] = []
        with serving(folder, commands), Control(f"ipc://{folder}/control.ipc") as control:
            enrol_live(control, "Ada", 3, waited.append)
        return waited

    def test_it_waits_until_the_beats_are_there(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers = iter(
            [replace(GATHERING, beats=n) for n in (1, 2)]
            + [replace(GATHERING, state="done", beats=3)]
        )
        waited = self.enrol(tmp_path, enroll=begin, enrolment=lambda: next(answers))
        assert len(waited) == 3
        assert capsys.readouterr().out == "Ada is enrolled.\n"

    def test_the_services_reason_is_passed_on(self, tmp_path: Path) -> None:
        with pytest.raises(EnrolmentFailed, match="the beats disagree"):
            self.enrol(
                tmp_path,
                enroll=begin,
                enrolment=lambda: replace(GATHERING, state="failed", error="the beats disagree"),
            )

    def test_an_enrolment_that_was_cancelled_has_failed(self, tmp_path: Path) -> None:
        with pytest.raises(EnrolmentFailed, match="'Ada' was not enrolled: cancelled"):
            self.enrol(
                tmp_path,
                enroll=begin,
                enrolment=lambda: EnrolmentAnswer("none"),
            )

    @pytest.mark.parametrize("state", ["gathering", "done", "failed"])
    def test_what_becomes_of_somebody_else_is_not_taken_for_hers(
        self, tmp_path: Path, state: Literal["gathering", "done", "failed"]
    ) -> None:
        bob = EnrolmentAnswer(state, "Bob", 3, 3, "disagree")
        with pytest.raises(EnrolmentFailed, match="'Ada' was not enrolled: cancelled"):
            self.enrol(tmp_path, enroll=begin, enrolment=lambda: bob)

    def test_a_service_that_cannot_begin_says_why(self, tmp_path: Path) -> None:
        def enroll(person: str, beats: int) -> EnrolmentAnswer:
            raise CommandRefused("'Bob' is being enrolled.")

        with pytest.raises(CommandRefused, match="'Bob' is being enrolled"):
            self.enrol(tmp_path, enroll=enroll)

    def test_ctrl_c_cancels(self, tmp_path: Path) -> None:
        cancelled: list[bool] = []

        def cancel() -> Done:
            cancelled.append(True)
            return Done()

        def interrupt(_: float) -> None:
            raise KeyboardInterrupt

        with (
            serving(tmp_path, {"enroll": begin, "cancel": cancel}),
            Control(f"ipc://{tmp_path}/control.ipc") as control,
            pytest.raises(KeyboardInterrupt),
        ):
            enrol_live(control, "Ada", 3, interrupt)
        assert cancelled == [True]

    def test_without_a_service_it_says_so(self) -> None:
        with pytest.raises(ServiceUnavailable, match="is qrsd running"):
            qrsd("enroll", "Ada")
