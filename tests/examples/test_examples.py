"""Each example does what it says, against a service that plays a synthetic heart."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from threading import Timer

import pytest

from daemon.wire.messages import IdentityMessage
from tests.daemon.running import PATIENCE_S, Running, running

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = Path(__file__).parents[2] / "model" / "ecg_id.tflite"
ONE_HEART = "--set=simulated.play=[{heart: 64, seconds: 600}]"

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Running]:
    with running(folder, MODEL, ONE_HEART) as service:
        service.status(lambda status: status.state == "running")
        yield service


def lines_until(pattern: str, *command: str) -> list[str]:
    """Run a command that never ends until it prints a line that fits, and return its lines."""
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        too_late = Timer(PATIENCE_S, process.kill)
        too_late.start()
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if re.search(pattern, line):
                break
        too_late.cancel()
        process.kill()
    assert re.search(pattern, lines[-1] if lines else ""), lines
    return lines


def test_somebody_is_enrolled_and_then_told_by_name(service: Running, folder: Path) -> None:
    enrolled = subprocess.run(
        [sys.executable, EXAMPLES / "enroll.py", "Ada", f"ipc://{folder}/control.ipc"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (enrolled.returncode, enrolled.stderr) == (0, "")
    assert enrolled.stdout.splitlines()[-1] == "Ada: done"
    service.hear(lambda message: isinstance(message, IdentityMessage) and message.person == "Ada")
    lines_until(
        r"Z  Ada, .* \(simulated\)$",
        sys.executable,
        str(EXAMPLES / "subscriber.py"),
        f"ipc://{folder}/messages.ipc",
    )


def test_an_enrolment_that_is_refused_says_why(service: Running, folder: Path) -> None:
    refused = subprocess.run(
        [sys.executable, EXAMPLES / "enroll.py", "", f"ipc://{folder}/control.ipc"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr.strip()


def test_ten_seconds_of_ecg_are_drawn(service: Running, folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "ecg.png"

    subprocess.run(
        [sys.executable, EXAMPLES / "live_ecg.py", f"ipc://{folder}/messages.ipc", picture],
        timeout=PATIENCE_S,
        check=True,
    )

    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.system
def test_the_client_in_javascript_names_the_wearer(
    service: Running, folder: Path, tmp_path: Path
) -> None:
    if which("npm") is None:
        pytest.skip("npm is not installed: apt install npm")
    example = tmp_path / "subscriber.js"
    example.write_text((EXAMPLES / "subscriber.js").read_text())
    subprocess.run(
        ["npm", "install", "--silent", "--no-fund", "zeromq@6"], cwd=tmp_path, check=True
    )

    lines_until(r"Z  \w+ \(simulated\)$", "node", str(example), f"ipc://{folder}/messages.ipc")


@pytest.mark.system
def test_the_client_in_c_tells_the_level(service: Running, folder: Path, tmp_path: Path) -> None:
    if which("cc") is None or not Path("/usr/include/zmq.h").exists():
        pytest.skip("no compiler or no zmq.h: apt install gcc libzmq3-dev")
    program = tmp_path / "subscriber"
    subprocess.run(
        f"cc -Wall -Wextra -Werror {EXAMPLES}/subscriber.c -o {program} -lzmq -lm".split(),
        check=True,
    )

    lines = lines_until(r"\d+: 25 samples, .* mV", str(program), f"ipc://{folder}/messages.ipc")

    indices = [int(line.partition(":")[0]) for line in lines]
    assert indices == sorted(indices)
