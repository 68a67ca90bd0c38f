"""Frames of a closed-form ECG, and a network that says what the test wants it to say."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from drivers.chip_setup import ChipSetup
from drivers.frame import Frame, millivolts_per_count
from model.network import Network
from model.passport import Passport
from tests.dsp.heartbeats import ecg, regular
from tests.model.models import towards

RATE_HZ = 250
STATUS = 0xC00000
ELECTRODE_OFF = 1 << 17  # IN2P
MV_PER_COUNT = millivolts_per_count(6, 2.42)

SETUP = ChipSetup(
    part="ADS1292R",
    rate_hz=250.0,
    gains=(4, 6),
    vref_v=2.42,
    ecg_channel=2,
    respiration_channel=1,
    lead_off_known=True,
    lead_off_mask=0b11 << 17,
    registers=(),
    simulated=True,
)

ADA, BOB = towards(3, 1, 0, 0), towards(0, 0, 1, 3)


def beating(seconds: float, first: int = 0, bpm: float = 75, status: int = STATUS) -> list[Frame]:
    """Return the frames of a heart that beats steadily; channel 1 counts samples."""
    count = round(seconds * RATE_HZ)
    codes = np.rint(ecg(regular(bpm, seconds), count) / MV_PER_COUNT).astype(int).tolist()
    return [
        Frame(first + i, (first + i) / RATE_HZ, status, (first + i, code))
        for i, code in enumerate(codes)
    ]


class FakeNetwork:
    """Says that every beat is ``says``."""

    def __init__(self, passport: Passport) -> None:
        self.passport = passport
        self.runtime = "none"
        self.says: NDArray[np.float32] = ADA

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        assert windows.shape == (1, 175)
        assert windows.dtype == np.float32
        return self.says[None]

    def as_network(self) -> Network:
        return cast(Network, self)


def fake_network(model: Path) -> FakeNetwork:
    """Give the network of a model's passport."""
    return FakeNetwork(Passport.load(model))
