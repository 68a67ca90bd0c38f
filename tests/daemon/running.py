"""A service as a process of its own, with a systemd and a subscriber made of sockets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.wire.client import Subscriber
from daemon.wire.messages import Message, Received, StatusMessage, WaveMessage

PATIENCE_S = 60.0  # an emulated processor takes twenty to say that no chip is there


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which qrsd touches nothing but this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QRSD_")}
    kept.pop("NOTIFY_SOCKET", None)
    return kept | {
        "STATE_DIRECTORY": str(folder / "state"),
        "RUNTIME_DIRECTORY": str(folder),
        "CREDENTIALS_DIRECTORY": str(folder),
    }


def qrsd(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "daemon", *arguments],
        env=environment(folder) | more,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@dataclass
class Running:
    """A service that runs, and what it has said so far."""

    process: subprocess.Popen[str]
    subscriber: Subscriber
    systemd: socket.socket
    heard: list[Message] = field(default_factory=list)

    def hear(self, until: Callable[[Message], bool]) -> list[Message]:
        """Return the messages up to the first that will do."""
        heard_before = len(self.heard)
        end_s = time.monotonic() + PATIENCE_S
        for item in self.subscriber:
            if isinstance(item, Received):
                self.heard.append(item.message)
                if until(item.message):
                    return self.heard[heard_before:]
            if time.monotonic() > end_s:
                break
        raise AssertionError(f"not heard within {PATIENCE_S} s; {self.process.poll()=}")

    def waves(self) -> list[WaveMessage]:
        """Return every waveform heard so far."""
        return [message for message in self.heard if isinstance(message, WaveMessage)]

    def status(self, until: Callable[[StatusMessage], bool]) -> StatusMessage:
        """Return the first status that will do."""
        heard = self.hear(lambda message: isinstance(message, StatusMessage) and until(message))
        assert isinstance(heard[-1], StatusMessage)
        return heard[-1]

    def notified(self, seconds: float) -> list[tuple[float, str]]:
        """Return what systemd is told in so many seconds, and when (monotonic seconds)."""
        told = []
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            self.systemd.settimeout(left_s)
            try:
                told.append((time.monotonic(), self.systemd.recv(1000).decode()))
            except TimeoutError:
                break
        return told

    def acquisition(self) -> int:
        """Return the process number of its acquisition process."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        [child] = children.read_text().split()
        return int(child)

    def end(self) -> tuple[int, str]:
        """Wait for its end, and return its exit code and what it wrote to stderr."""
        _, stderr = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, stderr


def terminated(process: subprocess.Popen[Any]) -> int:
    """End a process by SIGTERM and return its exit status; one that goes on is killed."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(PATIENCE_S)
    finally:
        process.kill()


@contextmanager
def running(folder: Path, model: Path, *arguments: str) -> Iterator[Running]:
    """Start ``qrsd run --simulated`` in a folder, and kill it if the test has not ended it."""
    address = f"ipc://{folder}/messages.ipc"
    command = [sys.executable, "-m", "daemon", "run", "--simulated", f"--set=model={model}"]
    command += [f"--set=publish.addresses=['{address}']", *arguments]
    with ExitStack() as stack:
        systemd = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        systemd.bind(str(folder / "notify"))
        process = subprocess.Popen(
            command,
            env=environment(folder) | {"NOTIFY_SOCKET": str(folder / "notify")},
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.callback(_end, process)
        subscriber = stack.enter_context(Subscriber(address))
        yield Running(process, subscriber, systemd)
        (folder / "notify").unlink()


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait()
    if process.stderr is not None:
        process.stderr.close()
