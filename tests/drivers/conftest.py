from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """Mock pins in place of the Pi's."""
    before = gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory = factory = MockFactory()
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = before


@pytest.fixture(scope="session")
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
