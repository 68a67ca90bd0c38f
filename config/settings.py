"""All settings of the service, from the file, the environment and the command line.

    defaults  <  /etc/qrsd/qrsd.yaml  <  QRSD_CHIP_GAIN=4  <  --set chip.gain=4

Each section is the options dataclass of the part that it sets up.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from config.commentary import CommentaryOptions
from config.errors import SettingInvalid, SettingsMissing
from config.fleet import FleetOptions
from config.influx import InfluxOptions
from config.lsl import LslOptions
from config.mapping import build, leaves
from config.mqtt import MqttOptions
from config.notify import NotifyOptions
from config.source import SourceOptions
from config.web import WebOptions
from config.yaml_values import NOT_YAML, read
from dsp.options import FrontEndOptions, LivenessOptions, RhythmOptions
from model.options import IdentifierOptions
from model.regular_file import open_regular

DEFAULT_PATH = Path("/etc/qrsd/qrsd.yaml")
ENVIRONMENT_PREFIX = "QRSD_"

LONGEST_FILE = 1 << 20  # bytes of settings


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """Where the service speaks."""

    #: ZeroMQ addresses: ipc, tcp on the loopback interface or, with keys, any tcp
    addresses: tuple[str, ...] = ("tcp://127.0.0.1:5292",)

    def __post_init__(self) -> None:
        if not self.addresses:
            raise ValueError("addresses: there is none, so nobody would hear anything")


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """What Prometheus may see."""

    port: int | None = None  # on the loopback interface; None for no metrics

    def __post_init__(self) -> None:
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is not between 1 and 65535")


@dataclass(frozen=True, slots=True)
class ControlOptions:
    """Where the service takes commands, besides ``control.ipc`` in its runtime folder."""

    addresses: tuple[str, ...] = ()  # ZeroMQ addresses; on tcp, clients need a key that may control


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """The service that commands such as ``qrsd watch`` talk to, if it is not this machine's."""

    messages: str = ""  # address that it publishes on; empty for this machine's service
    control: str = ""  # address that it takes commands on; empty for this machine's service
    key: str = ""  # file of our key; empty to come without one
    service_key: str = ""  # public half of the service's key


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What ``qrsd record`` writes, and where."""

    folder: str = ""  # where the files are; empty for ``recordings`` in the recorder's own folder
    format: Literal["bdf", "wfdb", "csv"] = "bdf"  # of the files
    #: whether people's names stand in the files; else pseudonyms: ``qrsd people list``
    names: bool = False
    before_s: float = 30.0  # kept of before somebody wears the electrodes
    after_s: float = 30.0  # without anybody, until a recording ends
    sync_s: float = 5.0  # how often files are brought to the disk; a power cut costs a second more
    free_mb: float = 500.0  # room to leave on the disk: with less, recording stops
    recipient: str = ""  # public key of age for which each finished file is encrypted, if given
    identity: str = ""  # file with the age key that opens encrypted recordings to be read

    def __post_init__(self) -> None:
        if self.recipient and self.format == "wfdb":
            raise ValueError(
                "recipient: a record of format wfdb is several files, which are not encrypted; "
                "choose bdf or csv"
            )
        for name, least, most in (
            ("before_s", 0, 600),
            ("after_s", 0, 3600),
            ("sync_s", 1, 600),
            ("free_mb", 0, 1e9),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(
                    f"{name}: {getattr(self, name)} is not between {least} and {most:g}"
                )


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What ``qrsd report`` may ask others for."""

    commentary: CommentaryOptions = field(default_factory=CommentaryOptions)  # with --commentary


@dataclass(frozen=True, slots=True)
class Settings(SourceOptions):
    """Everything that can be set."""

    device: str = ""  # this device's name in messages; empty for its host name
    model: str = ""  # path of the .tflite; empty for the one that comes with qrsd
    front_end: FrontEndOptions = field(default_factory=FrontEndOptions)  # the signal chain
    #: how many beats a decision counts, and whether sessions add to who is known
    identifier: IdentifierOptions = field(default_factory=IdentifierOptions)
    #: what to do about a signal that is no living heart's
    liveness: LivenessOptions = field(default_factory=LivenessOptions)
    rhythm: RhythmOptions = field(default_factory=RhythmOptions)  # what is told of it
    publish: PublishOptions = field(default_factory=PublishOptions)  # where the service speaks
    metrics: MetricsOptions = field(default_factory=MetricsOptions)  # what Prometheus may see
    #: where it listens, besides its runtime folder
    control: ControlOptions = field(default_factory=ControlOptions)
    #: which service our own commands talk to
    connect: ConnectOptions = field(default_factory=ConnectOptions)
    record: RecordOptions = field(default_factory=RecordOptions)  # what ``qrsd record`` writes
    notify: NotifyOptions = field(default_factory=NotifyOptions)  # what ``qrsd notify`` sends
    influx: InfluxOptions = field(
        default_factory=InfluxOptions
    )  # ``qrsd bridge influx`` writes to it
    lsl: LslOptions = field(default_factory=LslOptions)  # the streams of ``qrsd bridge lsl``
    mqtt: MqttOptions = field(default_factory=MqttOptions)  # the broker of ``qrsd bridge mqtt``
    report: ReportOptions = field(default_factory=ReportOptions)  # whom ``qrsd report`` asks
    fleet: FleetOptions = field(default_factory=FleetOptions)  # the site that this device is of
    web: WebOptions = field(default_factory=WebOptions)  # where ``qrsd web`` serves

    @property
    def model_path(self) -> Path | None:
        """Return the .tflite, None for the one that comes with qrsd."""
        return Path(self.model) if self.model else None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each that is not a default came from: path -> file or variable."""

    settings: Settings
    origins: dict[str, str]


def load(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    assignments: Iterable[str] = (),
) -> Loaded:
    """Gather the settings of all sources; later ones win.

    Args:
        path: settings file; None for the usual one, which need not be there.
        environment: where to look for ``QRSD_...``; None for the process's own.
        assignments: ``chip.gain=4``, from the command line.

    Raises:
        SettingsError: a file cannot be read, or a setting is not known or does not fit.
    """
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    try:
        _merge(tree, read_yaml(path or DEFAULT_PATH), origins, str(path or DEFAULT_PATH))
    except SettingsMissing:
        if path is not None:
            raise
    environment = os.environ if environment is None else environment
    for name, text in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            _assign(tree, _path_of_variable(name), text, origins, name)
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator:
            raise SettingInvalid(f"{assignment!r} is not NAME=VALUE, such as chip.gain=4")
        _assign(tree, name.strip(), text, origins, "--set")
    return Loaded(build(Settings, tree), origins)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a settings file as plain values.

    Raises:
        SettingsMissing: it is not there.
        SettingInvalid: it is not YAML, or not a table.
    """
    try:
        with open_regular(path) as file:
            content = file.read(LONGEST_FILE + 1)
        if len(content) > LONGEST_FILE:
            raise SettingInvalid(f"{path}: longer than {LONGEST_FILE} bytes, no settings are")
        tree = read(content.decode())
    except FileNotFoundError as error:
        raise SettingsMissing(f"{path}: no such settings file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"{path}: cannot be read: {_reason(error)}") from error
    except NOT_YAML as error:
        raise SettingInvalid(f"{path}{_place(error)}: not YAML: {_problem(error)}") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise SettingInvalid(f"{path}: a {type(tree).__name__}, expected a table of settings")
    return tree


def _merge(
    tree: dict[str, Any],
    given: Mapping[str, Any],
    origins: dict[str, str],
    origin: str,
    at: str = "",
) -> None:
    """Lay ``given`` over ``tree``: tables are merged, everything else replaced."""
    for name, value in given.items():
        if isinstance(value, Mapping):
            if not isinstance(tree.get(name), dict):
                tree[name] = {}
            _merge(tree[name], value, origins, origin, f"{at}{name}.")
        else:
            tree[name] = value
            origins[f"{at}{name}"] = origin


def _assign(
    tree: dict[str, Any], path: str, text: str, origins: dict[str, str], origin: str
) -> None:
    """Set one value, written as in YAML."""
    try:
        value = read(text)
    except NOT_YAML as error:
        raise SettingInvalid(f"{origin}: {text!r} is not YAML: {_problem(error)}") from error
    for name in reversed(path.split(".")):
        value = {name: value}
    _merge(tree, value, origins, origin)


def _path_of_variable(name: str) -> str:
    """Return the setting that ``QRSD_CHIP_GAIN`` means: ``chip.gain``."""
    for path, _ in leaves(Settings):
        if name == ENVIRONMENT_PREFIX + path.upper().replace(".", "_"):
            return path
    raise SettingInvalid(
        f"{name}: no such setting; QRSD_CHIP_GAIN means chip.gain, and `qrsd config show` lists all"
    )


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def _problem(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
