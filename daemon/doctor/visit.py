"""What all checks share: the computer they look at, and what earlier checks found."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from config.settings import ConnectOptions, Loaded, Settings
from daemon.wire.keys import ClientKeys
from daemon.wire.messages import StatusMessage
from drivers.ads1292r import Ads1292r
from drivers.bus import Board
from model.passport import Passport


@dataclass(frozen=True, slots=True)
class User:
    """The user who runs the checks."""

    name: str
    number: int
    groups: frozenset[int]  # numbers of the groups that this session is in

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
    """The computer; tests give the files of another."""

    root: Path = Path("/")  # where its files are
    user: User = field(default_factory=User.present)
    may_use: Callable[[Path], bool] = _may_use  # tells whether this user may read and write a file

    def path(self, path: str) -> Path:
        """Return where a file of the machine is."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str | None:
        """Return the text of a file, without the NUL that ends one of the device tree."""
        try:
            return self.path(path).read_text(errors="replace").strip("\0\n")
        except OSError:
            return None


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """Jitter of DRDY, and how long after its edge each sample was read."""

    jitter_s: NDArray[np.float64]  # by how much each edge is off the line through all, shape (n,)
    delay_s: NDArray[np.float64]  # from each edge to the end of its read, shape (n,)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Ten seconds of the ECG channel, with the counters and faults of their stream."""

    time_s: NDArray[np.float64]  # sample number divided by the nominal rate, shape (n,)
    ecg_mv: NDArray[np.float64]  # at the electrodes, unfiltered, shape (n,)
    #: where an electrode is off, shape (n,); None if the chip is not set up to tell
    off_at: NDArray[np.bool_] | None
    flickers: int  # how often a lead-off bit was set too briefly to mean that
    nominal_hz: float  # what the chip was set to
    rate_hz: float  # as measured
    timing: Timing | None  # None where a service does not pass it on
    taken: int  # how many samples there were since the stream began ...
    lost: int  # ... and how many there were not
    counters: Mapping[str, float]  # of the driver's stream
    #: what the driver says of the stream, by the class of its conditions
    conditions: Mapping[str, str]
    last_fault: str | None  # why the chip was set up again; None if it never was

    @property
    def off(self) -> float | None:
        """Share of the samples with an electrode off; None if the chip is not set up to tell."""
        return None if self.off_at is None else float(self.off_at.mean())


@dataclass(slots=True)
class Visit:
    """What the checks work on: some of it is given, the rest is set by earlier checks."""

    load: Callable[[], Loaded]  # reads the settings; may raise SettingsError
    machine: Machine = field(default_factory=Machine)  # the computer
    #: reads what to come in with where the service asks for keys; may raise KeysError
    read_keys: Callable[[ConnectOptions], ClientKeys | None] = lambda _: None
    resources: ExitStack = field(default_factory=ExitStack)  # what is to be given back afterwards
    simulated: bool = False  # whether the settings say so, or the service that is asked
    may_open: bool = True  # whether a chip that no service has may be looked at
    #: by the check of that name, which everything that asks for them needs
    settings: Settings = field(init=False)
    passport: Passport = field(init=False)  # of the model
    running: StatusMessage | None = None  # what the running service says; None without one
    #: where the service is heard, and with which keys
    way_in: tuple[str, ClientKeys | None] = field(init=False)
    board: Board = field(init=False)  # set once it is open; a running service keeps it
    chip: Ads1292r = field(init=False)  # powered up
    samples: Samples = field(init=False)  # ten seconds, once they are read
