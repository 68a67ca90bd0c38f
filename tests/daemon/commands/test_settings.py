"""``qrsd config`` says what is wrong with the settings, and what is in force and from where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from config.errors import SettingInvalid, SettingsMissing
from config.settings import DEFAULT_PATH
from daemon.commands.exit_codes import BUG, exit_code
from model.errors import ModelMissing
from tests.daemon.commands.command import qrsd
from tests.model.models import embedder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file with a model that can be had."""
    path = tmp_path / "qrsd.yaml"
    path.write_text(f"model: {embedder(tmp_path)}\nchip: {{gain: 4}}\n")
    return path


def test_settings_that_work_are_fine(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert qrsd("config", "check", file) == 0
    assert capsys.readouterr().out == f"{file}: fine\n"


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("chip: {gain: 5}", SettingInvalid, r"chip\.gain: 5 is not one of 1, 2, 3, 4, 6, 8, 12"),
        ("chip: {gian: 4}", SettingInvalid, r"chip\.gian: .* did you mean gain"),
        ("chip: {rate_hz: 500}", SettingInvalid, r"chip\.rate_hz: 500 is not 250"),
        ("model: /nowhere/x.tflite", ModelMissing, r"/nowhere/x\.tflite"),
        ("publish: {addresses: ['tcp://*:5292']}", SettingInvalid, r"tcp://\*:5292 is refused"),
    ],
)
def test_what_the_service_would_refuse_is_found_without_starting_it(
    line: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "qrsd.yaml"
    path.write_text(line)
    with pytest.raises(error, match=words) as raised:
        qrsd("config", "check", path)
    assert exit_code(raised.value) != BUG


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsMissing, match=r"nowhere\.yaml: no such settings file"):
        qrsd("config", "check", tmp_path / "nowhere.yaml")


def test_what_is_shown_is_a_settings_file_itself(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qrsd("config", "show", file)
    shown = capsys.readouterr().out
    copy = tmp_path / "copy.yaml"
    copy.write_text(shown)
    qrsd("config", "show", copy)
    assert yaml.safe_load(capsys.readouterr().out) == yaml.safe_load(shown)


def test_each_setting_that_is_no_default_says_where_it_came_from(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QRSD_FRONT_END_MAINS_HZ", "60")
    qrsd("config", "show", file, "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["settings"]["chip"]["gain"] == 4
    assert shown["settings"]["front_end"]["mains_hz"] == 60
    assert shown["origins"]["chip.gain"] == str(file)
    assert shown["origins"]["front_end.mains_hz"] == "QRSD_FRONT_END_MAINS_HZ"
    assert "chip.vref_v" not in shown["origins"]


@pytest.mark.skipif(DEFAULT_PATH.exists(), reason=f"this machine has a {DEFAULT_PATH}")
def test_without_any_file_all_is_default(capsys: pytest.CaptureFixture[str]) -> None:
    qrsd("config", "show")
    assert capsys.readouterr().out.endswith("# all defaults\n")


def test_all_that_is_wrong_is_printed_with_settings_and_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "qrsd.yaml"
    path.write_text("board: {drdy_pin: 025}\nchip: {gian: 4}")
    code = qrsd("config", "check", "--settings", str(path), "--set", "metrics.port=0")
    assert code == 78
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].strip() for line in said] == [
        "board.drdy_pin",
        "chip.gian",
        "metrics.port",
    ]
    path.write_text("model: /nowhere/x.tflite\nchip: {rate_hz: 500}")
    assert qrsd("config", "check", str(path)) == 78
    assert [line.split(":")[1].strip() for line in capsys.readouterr().err.splitlines()] == [
        "chip.rate_hz",
        "/nowhere/x.tflite",
    ]
