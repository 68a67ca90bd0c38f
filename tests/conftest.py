"""What several test files share: where the real recordings lie, and how patient hypothesis is."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# As in the service's unit, and before numpy is imported. Where each core has a worker of its own,
# threads that spin while they wait for each other make small problems take three times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("busy machine", deadline=None)  # none of this is about speed
settings.load_profile("busy machine")

FE_DFL_ENV = ctypes.c_void_p(-1)  # as glibc's fenv.h has it


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of the board run on a real one."""
    parser.addoption(
        "--board",
        action="store_true",
        help="an ADS1292R is wired to this Raspberry Pi: test it too",
    )


def pytest_runtest_setup() -> None:
    """Have the smallest of floats again, which hypothesis insists on.

    On arm64 the TFLite runtime leaves its thread rounding them to zero.
    """
    if platform.machine() == "aarch64":
        ctypes.CDLL("libm.so.6").fesetenv(FE_DFL_ENV)


SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return the folder of a public data set, or skip the test and say how to get it."""

    def folder(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.is_dir():
            pytest.skip(f"needs PhysioNet's {name} database at {path}")
        return path

    return folder
