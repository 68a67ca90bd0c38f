"""The unmodified spidev and gpiozero on the simulated chip, from power-up to frames."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drivers.frame import Frame
from drivers.raspberry import BoardOptions
from drivers.simulator import SimulatorOptions
from drivers.simulator.spidev import SimulatedSpiDev
from drivers.simulator.world import SteppedWorld
from drivers.stream import Counters
from tests.drivers.numbered import Numbered, Take, conversion
from tests.drivers.pretended_pi import FRAMES, calls
from tests.drivers.wires import WiredChip

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler: apt install gcc libc6-dev")
    if importlib.util.find_spec("spidev") is None:
        pytest.skip("needs spidev: make test-system installs it")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    source = Path(__file__).with_name("spidev_shim.c")
    options = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["cc", *options, "-o", library, source], check=True)
    return library


def on_a_pretended_pi(what: str, chip: WiredChip, shim: Path) -> Any:
    ends = (chip.spi.fileno(), chip.pins.fileno())
    done = subprocess.run(
        [sys.executable, "-m", "tests.drivers.pretended_pi", str(ends[1]), what],
        env={**os.environ, "LD_PRELOAD": str(shim), "SPI_SOCKET": str(ends[0])},
        cwd=ROOT,
        pass_fds=ends,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_driver_streams_through_spidev_and_gpiozero(shim: Path) -> None:
    with WiredChip(Numbered()) as chip:
        seen = on_a_pretended_pi("stream", chip, shim)

    assert seen["setup"]["part"] == "ADS1292R"
    assert seen["setup"]["simulated"] is False  # for all that the driver can tell
    frames = [Frame(**{**frame, "counts": tuple(frame["counts"])}) for frame in seen["frames"]]
    assert len(frames) == FRAMES
    take = Take(
        frames, Counters(**seen["counters"]), seen["period_s"], [conversion(f) for f in frames]
    )
    take.check_numbers()
    assert take.period_s == pytest.approx(0.004, rel=0.01)
    assert not chip.violations


def test_the_simulated_spidev_has_the_habits_of_the_real_one(shim: Path) -> None:
    with WiredChip(Numbered()) as chip:
        chip.pins.send(f"GPIO{BoardOptions().reset_pin} 1".encode())
        real = on_a_pretended_pi("calls", chip, shim)

    world = SteppedWorld(Numbered(), SimulatorOptions(noise=0.0))
    world.sleep(1.0)
    assert json.loads(json.dumps(calls(SimulatedSpiDev(world)))) == real
    assert 0x73 in real[3][1]  # the ID of an ADS1292R
