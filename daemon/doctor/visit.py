"""Where the checks look, and what one check leaves for the next."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from config.settings import ConnectOptions, Loaded, Settings
from daemon.wire.keys import ClientKeys
from daemon.wire.messages import Received
from drivers.ads1292r import Ads1292r
from drivers.bus import Board
from model.passport import Passport

if TYPE_CHECKING:
    from daemon.doctor.samples import Samples


@dataclass(frozen=True, slots=True)
class User:
    """Who is looking.

    Attributes:
        groups: numbers of the groups that this session is in.
    """

    name: str
    number: int
    groups: frozenset[int]

    @classmethod
    def present(cls) -> Self:
        """Return who runs this process."""
        number = os.geteuid()
        try:
            name = pwd.getpwuid(number).pw_name
        except KeyError:  # as in a container
            name = str(number)
        return cls(name, number, frozenset({os.getegid(), *os.getgroups()}))


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


@dataclass(frozen=True, slots=True)
class Machine:
    """The computer; tests give the files of another.

    Attributes:
        root: where its files are.
        may_use: tells whether this user may read and write a file.
    """

    root: Path = Path("/")
    user: User = field(default_factory=User.present)
    may_use: Callable[[Path], bool] = _may_use

    def path(self, path: str) -> Path:
        """Return where a file of the machine is."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str | None:
        """Return the text of a file, without the NUL that ends one of the device tree."""
        try:
            return self.path(path).read_text(errors="replace").strip("\0\n")
        except OSError:
            return None


@dataclass(slots=True)
class Visit:
    """One walk: where it goes, and what it has found so far.

    Attributes:
        load: reads the settings; may raise SettingsError.
        machine: the computer.
        read_keys: reads what to come in with where the service asks for keys; may raise KeysError.
        resources: what is to be given back afterwards.
        simulated: whether the settings say so.
        settings: by the check of that name, which everything that asks for them needs.
        passport: of the model.
        heard: status of the running service; None if there is none.
        way_in: where the service is heard, and with which keys.
        board: open, if there is no running service.
        chip: powered up.
        samples: some seconds of them.
    """

    load: Callable[[], Loaded]
    machine: Machine = field(default_factory=Machine)
    read_keys: Callable[[ConnectOptions], ClientKeys | None] = lambda _: None
    resources: ExitStack = field(default_factory=ExitStack)
    simulated: bool = False
    settings: Settings = field(init=False)
    passport: Passport = field(init=False)
    heard: Received | None = None
    way_in: tuple[str, ClientKeys | None] = field(init=False)
    board: Board = field(init=False)
    chip: Ads1292r = field(init=False)
    samples: Samples = field(init=False)
