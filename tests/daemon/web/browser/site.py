"""Service, recorder and web server as processes of their own, on hearts that are played."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.daemon.running import environment

PATIENCE_S = 60.0
LONG_S = 3600.0  # a recording is played again and again


@dataclass(frozen=True)
class Hearts:
    """Two people: Ada, who is enrolled before the service starts, and Ben, who is not."""

    model: str  # file of the model; empty for qrsd's own
    enrolled_with: list[Path]  # files of a recording of Ada's, the header first
    ada_again: list[Path]  # those of another one
    ben_first: list[Path]  # those of one of Ben's
    play: dict[str, dict[str, Any]]  # by name: what is played when they come


@dataclass
class Site:
    """The three processes of a folder; ``close`` ends those that were started."""

    folder: Path
    hearts: Hearts
    url: str = ""
    _processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def recordings(self) -> Path:
        """Return where the recorder writes."""
        return self.folder / "recordings"

    def start(self) -> None:
        """Enrol Ada, and start all of it."""
        (self.folder / "state").mkdir()
        record = ("--record", str(self.hearts.enrolled_with[0]))
        gallery = ("--gallery", str(self.folder / "state" / "simulated.sqlite"))
        enrolled = self._begin("enrol", "enroll", "Ada", *record, *gallery)
        self._begin("record", "record", "--name", "test")
        self.start_web()
        assert enrolled.wait(PATIENCE_S) == 0
        del self._processes["enrol"]
        self.start_service()
        self.until(lambda: list(self.recordings.glob("*.bdf")))

    def start_service(self, worn_by: str = "Ada") -> None:
        """Start the service, with somebody at the electrodes who stays."""
        settings = {
            "source": "simulated",
            "liveness": {"on_suspicion": "ignore"},  # a short recording is played in a loop
            "simulated": {"play": [self.hearts.play[worn_by] | {"seconds": LONG_S}]},
        }
        (self.folder / "qrsd.yaml").write_text(json.dumps(settings))
        self._begin("run", "run", "--settings", str(self.folder / "qrsd.yaml"))

    def start_web(self) -> None:
        """Start the web server, on the port that it had before."""
        port = self.url.rstrip("/").rpartition(":")[2] or "0"
        web = self._begin("web", "web", "--port", port, stdout=subprocess.PIPE)
        assert web.stdout is not None
        [self.url] = re.findall(r"http://\S+/", web.stdout.readline())

    def end(self, name: str) -> None:
        """End a process as systemd does."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        if process.stdout is not None:
            process.stdout.close()

    def close(self) -> None:
        """End what is left, in the order in which it was started."""
        for name in list(self._processes):
            self.end(name)

    def get(self, path: str) -> Any:
        """Return what the API answers; None for a problem."""
        try:
            with urllib.request.urlopen(f"{self.url}api/v1{path}", timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            problem.close()
            return None

    def is_worn(self) -> bool:
        """Return whether the service runs, and somebody wears the electrodes."""
        status = self.get("/status") or {}
        return (status.get("state"), status.get("contact")) == ("running", "on")

    def until(self, fulfilled: Callable[[], object], within_s: float = 90.0) -> None:
        """Wait until something is so."""
        end_s = time.monotonic() + within_s
        while not fulfilled():
            assert time.monotonic() < end_s, "it did not come to pass"
            time.sleep(0.1)

    def _begin(self, name: str, *command: str, stdout: int | None = None) -> subprocess.Popen[str]:
        settings = {
            "QRSD_PUBLISH_ADDRESSES": f"['ipc://{self.folder}/messages.ipc']",
            "QRSD_RECORD_FOLDER": str(self.recordings),
            "QRSD_RECORD_BEFORE_S": "0",
        }
        if self.hearts.model:
            settings["QRSD_MODEL"] = self.hearts.model
        process = subprocess.Popen(
            [sys.executable, "-m", "daemon", *command],
            env=environment(self.folder) | settings,
            stdout=stdout,
            text=True,
        )
        self._processes[name] = process
        return process
