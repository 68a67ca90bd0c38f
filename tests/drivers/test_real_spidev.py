"""What the calls of the unmodified spidev return, and of the simulated one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drivers.raspberry import BoardOptions
from drivers.simulator import SimulatorOptions
from drivers.simulator.spidev import SimulatedSpiDev
from drivers.simulator.world import SteppedWorld
from tests.drivers.numbered import Numbered
from tests.drivers.pretended_pi import calls
from tests.drivers.wires import WiredChip, on_a_pretended_pi

pytestmark = pytest.mark.system


def test_the_simulated_spidev_has_the_habits_of_the_real_one(shim: Path) -> None:
    with WiredChip(Numbered()) as chip:
        chip.pins.send(f"GPIO{BoardOptions().reset_pin} 1".encode())
        real = on_a_pretended_pi("calls", chip, shim)

    world = SteppedWorld(Numbered(), SimulatorOptions(noise=0.0))
    world.sleep(1.0)
    assert json.loads(json.dumps(calls(SimulatedSpiDev(world)))) == real
    assert 0x73 in real[2][1]  # the ID of an ADS1292R
