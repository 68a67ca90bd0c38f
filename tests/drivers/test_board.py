"""One second of samples by the wall clock: simulated, through the real spidev, from a real board.

pytest tests/drivers/test_board.py --board    on a Raspberry Pi with the chip, wired by default
"""

from __future__ import annotations

from typing import Any

import pytest

from drivers.frame import Frame, status_is_valid
from drivers.raspberry import BoardOptions, open_board
from drivers.simulator import SimulatorOptions, open_simulated_board
from drivers.stream import Counters
from tests.drivers.numbered import Numbered, Take, conversion
from tests.drivers.pretended_pi import FRAMES, stream
from tests.drivers.wires import WiredChip, on_a_pretended_pi


def simulated(_: pytest.FixtureRequest) -> Any:
    return stream(open_simulated_board(Numbered(), SimulatorOptions(noise=0.0), paced=True))


def through_spidev(request: pytest.FixtureRequest) -> Any:
    with WiredChip(Numbered()) as chip:
        seen = on_a_pretended_pi("stream", chip, request.getfixturevalue("shim"))
    assert not chip.violations
    assert seen["setup"]["simulated"] is False  # for all that the driver can tell
    return seen


def real(request: pytest.FixtureRequest) -> Any:
    if not request.config.getoption("--board"):
        pytest.skip("needs a Raspberry Pi with an ADS1292R, and --board")
    return stream(open_board(BoardOptions()))


BOARDS = [
    pytest.param(simulated, marks=pytest.mark.realtime),
    pytest.param(through_spidev, marks=pytest.mark.system),
    real,
]


@pytest.fixture(scope="class", params=BOARDS, ids=lambda board: board.__name__)
def seen(request: pytest.FixtureRequest) -> Any:
    return {"on": request.param, **request.param(request)}


class TestBoard:
    """What holds on every board."""

    def frames(self, seen: Any) -> list[Frame]:
        return [Frame(**{**frame, "counts": tuple(frame["counts"])}) for frame in seen["frames"]]

    def test_the_chip_is_set_up_as_asked_for(self, seen: Any) -> None:
        assert seen["setup"]["part"] == "ADS1292R"
        assert seen["setup"]["rate_hz"] == 250
        assert seen["setup"]["lead_off_known"]

    def test_every_frame_has_its_fixed_bits_and_a_number_of_its_own(self, seen: Any) -> None:
        frames = self.frames(seen)
        assert len(frames) == FRAMES
        assert all(status_is_valid(frame.status) for frame in frames)
        assert seen["counters"]["lost"] == frames[-1].index - frames[0].index + 1 - FRAMES

    def test_edges_come_at_the_rate_of_the_oscillator(self, seen: Any) -> None:
        frames = self.frames(seen)
        measured_s = (frames[-1].time_s - frames[0].time_s) / (frames[-1].index - frames[0].index)
        assert measured_s == pytest.approx(0.004, rel=0.015)  # the datasheet's tolerance
        assert seen["period_s"] == pytest.approx(measured_s, rel=0.01)

    def test_each_frame_is_the_conversion_that_its_number_says(self, seen: Any) -> None:
        if seen["on"] is real:
            pytest.skip("only simulated electrodes show the number of the conversion")
        frames = self.frames(seen)
        counters = Counters(**seen["counters"])
        Take(frames, counters, seen["period_s"], [*map(conversion, frames)]).check_numbers()
