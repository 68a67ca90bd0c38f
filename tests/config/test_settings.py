"""File, environment and command line make one tree of settings, and the last one wins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config import settings as settings_module
from config.errors import SettingInvalid, SettingsError, SettingsMissing
from config.mapping import leaves
from config.settings import Settings, load, read_yaml
from daemon.commands.exit_codes import exit_code

DEFAULT_YAML = Path(settings_module.__file__).with_name("default.yaml")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "DEFAULT_PATH", tmp_path / "etc" / "qrsd.yaml")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def complaint(path: Path) -> str:
    with pytest.raises(SettingsError) as told:
        load(path, {})
    assert exit_code(told.value) == 78
    return str(told.value)


def test_without_any_source_everything_is_at_its_default() -> None:
    loaded = load(None, {})
    assert loaded.settings == Settings()
    assert loaded.origins == {}


def test_each_source_beats_the_one_before(tmp_path: Path) -> None:
    path = write(tmp_path / "q.yaml", "chip: {gain: 1, respiration_gain: 3}\ndevice: file\n")
    loaded = load(path, {"QRSD_CHIP_GAIN": "2", "QRSD_DEVICE": "env"}, ["chip.gain=3"])
    assert loaded.settings.chip.gain == 3
    assert loaded.settings.device == "env"
    assert loaded.settings.chip.respiration_gain == 3
    assert loaded.origins == {
        "chip.gain": "--set",
        "chip.respiration_gain": str(path),
        "device": "QRSD_DEVICE",
    }


def test_of_two_assignments_the_later_wins() -> None:
    assert load(None, {}, ["chip.gain=1", "chip.gain=2"]).settings.chip.gain == 2


def test_the_usual_file_is_read_without_being_asked_for() -> None:
    write(settings_module.DEFAULT_PATH, "chip: {gain: 12}")
    assert load(None, {}).settings.chip.gain == 12


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsMissing, match=r"none\.yaml: no such settings file"):
        load(tmp_path / "none.yaml", {})


def test_values_are_written_as_in_yaml() -> None:
    settings = load(
        None,
        {"QRSD_BOARD_START_PIN": "null", "QRSD_CHIP_RESPIRATION": "no"},
        ["publish.addresses=[ipc:///run/qrsd/p.ipc]", "simulated.play=[{heart: 3, seconds: 2}]"],
    ).settings
    assert settings.board.start_pin is None
    assert load(None, {}, ["identifier.fpir=1e-2"]).settings.identifier.fpir == 0.01
    with pytest.raises(SettingsError, match=r"fpir: 1e-300 is not between 0.001 and 0.5"):
        load(None, {}, ["identifier.fpir=1e-300"])
    assert settings.chip.respiration is False
    assert settings.publish.addresses == ("ipc:///run/qrsd/p.ipc",)
    assert settings.simulated.play[0].heart == 3


@pytest.mark.parametrize("path", [path for path, _ in leaves(Settings)])
def test_every_setting_has_its_variable(path: str) -> None:
    variable = "QRSD_" + path.upper().replace(".", "_")
    given = yaml.safe_load(DEFAULT_YAML.read_text())
    for name in path.split("."):
        given = given[name]
    loaded = load(None, {variable: yaml.safe_dump(given)})
    assert loaded.origins == {path: variable}
    assert loaded.settings == Settings()


def test_no_two_settings_share_a_variable() -> None:
    variables = [path.upper().replace(".", "_") for path, _ in leaves(Settings)]
    assert len(set(variables)) == len(variables)


def test_an_unknown_variable_is_refused_but_other_programs_keep_theirs() -> None:
    assert load(None, {"HOME": "/root", "QRSDX": "1"}).settings == Settings()
    with pytest.raises(SettingInvalid, match=r"^QRSD_CHIP_GIAN: no such setting"):
        load(None, {"QRSD_CHIP_GIAN": "4"})


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("chip.gain", "'chip.gain' is not NAME=VALUE, such as chip.gain=4"),
        ("chip.gian=4", "chip.gian: no such setting; did you mean gain?"),
        ("chip.gain=5", "chip.gain: 5 is not one of 1, 2, 3, 4, 6, 8, 12"),
        ("chip.gain=[", "--set: '[' is not YAML: expected the node content, but found"),
        ("device=2026-13-01", "--set: '2026-13-01' is not YAML: month must be in 1..12"),
        ("device=12", "device: 12 is not str; quote it if it is text"),
        ("device=no", "device: False is not str; quote it if it is text"),
        ("chip=5", "chip: 5 is not a table of settings"),
        ("board.drdy_pin=11", "board.drdy_pin: 11 is already used for SPI"),
        ("chip.ecg_channel=1", "chip.ecg_channel: 1 cannot carry the ECG while respiration is on"),
        ("front_end.mains_hz=55", "front_end.mains_hz: 55 is not one of 50, 60"),
        ("identifier.max_beats=4", "identifier.max_beats: 4 is not between min_beats (5)"),
        ("source=pretend", "source: 'pretend' is not one of chip, simulated"),
        ("simulated.play=[]", "simulated.play: there is nothing to play"),
        ("simulated.play=[{heart: 1, pause: 2}]", "simulated.play[0].heart, record, pause: give"),
        ("simulated.play=[{heart: -1}]", "simulated.play[0].heart: -1 is below 0"),
        (
            "simulated.play=[{heart: 1, ventricular: 1}]",
            "simulated.play[0].ventricular: 1 is not 2 or more, of a heart",
        ),
        (
            "simulated.play=[{pause: 1, ventricular: 2}]",
            "simulated.play[0].ventricular: 2 is not 2 or more, of a heart",
        ),
        ("simulated.play=[{pause: 0.001}]", "simulated.play[0].pause: 0.001 is below 0.1"),
        ("simulated.chip.faults=[gremlins]", "simulated.chip.faults: 'gremlins' is not"),
    ],
)
def test_an_assignment_that_does_not_fit_is_refused_in_a_line(assignment: str, told: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        load(None, {}, [assignment])
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("device: x\nchip: {gain: 6\n", ":3:1: not YAML: expected ',' or '}', but got"),
        ("chip:\n\tgain: 6\n", ":2:1: not YAML: found character '\\t' that cannot start"),
        ("device: 2026-13-01\n", ": not YAML: month must be in 1..12"),
        ("device: \x01\n", ": not YAML: unacceptable character #x0001"),
        ("[" * 600, ": not YAML: maximum recursion depth exceeded"),
        ("- chip\n", ": a list, expected a table of settings"),
        ("gain\n", ": a str, expected a table of settings"),
        ("!!python/object/apply:os.abort []\n", ":1:1: not YAML: None"),
        ("device: !!int ''\n", ":1:9: not YAML: this is no int"),
        ("device: !!int [1]\n", ":1:9: not YAML: this is no int"),
        ("chip:\n  gain: !!bool x\n", ":2:9: not YAML: this is no bool"),
        ("device: !!timestamp x\n", ":1:9: not YAML: this is no timestamp"),
    ],
)
def test_a_file_that_is_no_table_of_yaml_is_told_with_its_line(
    tmp_path: Path, text: str, told: str
) -> None:
    path = write(tmp_path / "q.yaml", text)
    line = complaint(path)
    assert line.startswith(f"{path}{told}".removesuffix("None"))
    assert "\n" not in line


def test_a_file_of_bytes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "q.yaml"
    path.write_bytes(b"device: \xff\xfe")
    assert complaint(path).startswith(f"{path}: cannot be read: 'utf-8' codec can't decode")


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert complaint(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "q.yaml", "")
    path.chmod(0)
    assert complaint(path) == f"{path}: cannot be read: Permission denied"


def test_a_usual_folder_that_may_not_be_entered_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(settings_module, "open_regular", refuse)
    with pytest.raises(SettingInvalid, match="cannot be read: Permission denied"):
        load(None, {})


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert load(write(tmp_path / "q.yaml", "# nothing\n"), {}).settings == Settings()


@given(st.text(max_size=60))
def test_whatever_is_assigned_is_taken_or_refused_in_a_line(text: str) -> None:
    try:
        settings = load(None, {}, [f"chip.gain={text}"]).settings
    except SettingInvalid as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert settings.chip.gain in (1, 2, 3, 4, 6, 8, 12)


def test_the_file_of_defaults_says_what_the_options_say() -> None:
    assert load(DEFAULT_YAML, {}).settings == Settings()


def test_the_file_of_defaults_names_every_setting() -> None:
    named = set()

    def walk(tree: dict[str, object], at: str) -> None:
        for name, value in tree.items():
            if isinstance(value, dict):
                walk(value, f"{at}{name}.")
            else:
                named.add(f"{at}{name}")

    walk(read_yaml(DEFAULT_YAML), "")
    assert named == {path for path, _ in leaves(Settings)}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("board: {drdy_pin: 025}", "board.drdy_pin: 025 is an octal number"),
        ("metrics: {port: 12:30}", "metrics.port: 12:30 is a number to the base of 60"),
        ("identifier: {min_beats: 1:30.5}", "identifier.min_beats: 1:30.5 is a number to the base"),
        ("device: 007", "device: 007 is an octal number .* or quote it if it is text"),
        ("chip: {gain: 6}\nboard: {}\nchip: {gain: 4}", "chip: is there twice, in lines 1 and 3"),
        ("chip:\n  gain: 6\n  gain: 4", "chip.gain: is there twice, in lines 2 and 3"),
        ("chip: &a {gain: 6}\nboard: *a", "aliases .* are not taken"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "aliases .* are not taken"),
        ("[" * 5000, "not YAML"),
        ("x" * 2_000_000, "longer than 1048576 bytes"),
    ],
)
def test_what_yaml_would_quietly_take_for_something_else_is_refused_by_name(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "qrsd.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        load(path, {})


def test_an_octal_number_is_refused_from_the_environment_and_the_command_line_too() -> None:
    for sources in (
        {"environment": {"QRSD_BOARD_DRDY_PIN": "025"}},
        {"assignments": ["board.drdy_pin=025"]},
    ):
        with pytest.raises(SettingInvalid, match=r"board\.drdy_pin: 025 is an octal number"):
            load(None, **{"environment": {}, **sources})
    assert load(None, {}, ["board.drdy_pin=0x19"]).settings.board.drdy_pin == 25
    assert load(None, {}, ["device='007'"]).settings.device == "007"


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = [
        "chip.gain=5",
        "board.drdy_pin=025",
        "chop.gain=4",
        'simulated.play=[{"heart": x}, {}]',
    ]
    with pytest.raises(SettingInvalid) as caught:
        load(None, {}, wrong)
    names = [problem.split(":")[0] for problem in caught.value.problems]
    assert names[1:3] == ["board.drdy_pin", "chop"]
    assert names[0].startswith("chip.")
    assert names[3:] == ["simulated.play[0].heart", "simulated.play[1].heart, record, pause"]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "qrsd.yaml")
    with pytest.raises(SettingInvalid, match="not a regular file"):
        load(tmp_path / "qrsd.yaml", {})


def test_the_null_device_sets_nothing() -> None:
    assert load(Path(os.devnull), {}).settings == Settings()
