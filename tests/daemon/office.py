"""A front desk with all that it needs, for tests that speak to it as clients do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import zmq

from daemon.service.people_commands import PeopleCommands
from daemon.service.pipeline import Pipeline
from daemon.wire.control import ControlServer
from daemon.wire.messages import IdentityMessage
from dsp.options import FrontEndOptions, LivenessOptions
from model.gallery import Gallery
from model.options import IdentifierOptions
from model.template import Template
from tests.daemon.frames import ADA, RATE_HZ, SETUP, STATUS, FakeNetwork, beating, fake_network

NOW = "2026-03-01T12:00:00+00:00"


@dataclass
class Office:
    """A front desk with all that it needs, spoken to as clients do."""

    network: FakeNetwork
    gallery: Gallery
    pipeline: Pipeline
    desk: PeopleCommands
    control: ControlServer
    index: int = 0

    def ask(self, command: str, **fields: object) -> dict[str, Any]:
        answer = json.loads(self.control.reply(json.dumps({"command": command, **fields}).encode()))
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        self.control.close()
        self.gallery.close()

    def wear(self, seconds: float, status: int = STATUS) -> IdentityMessage | None:
        """Have the heart beat that the network hears, and return the last decision."""
        identity = None
        for frame in beating(seconds, first=self.index, status=status):
            for message in self.pipeline.push(frame):
                if isinstance(message, IdentityMessage):
                    identity = message
            self.desk.attend()
        self.index += round(seconds * RATE_HZ)
        return identity


def open_office(
    model: Path,
    folder: Path,
    context: zmq.Context[zmq.Socket[bytes]],
    on_suspicion: Literal["refuse", "warn", "ignore"] = "ignore",
) -> Office:
    """Open one that does not mind that the beats of ``beating`` are all the same."""
    network = fake_network(model)
    gallery = Gallery(folder / "gallery.sqlite")
    templates = gallery.templates(network.passport.sha256)
    pipeline = Pipeline(
        network.as_network(),
        templates,
        FrontEndOptions(),
        IdentifierOptions(),
        LivenessOptions(on_suspicion),
    )
    pipeline.use_setup(SETUP)
    desk = PeopleCommands(gallery, network.passport, pipeline.recogniser, "simulated", lambda: NOW)
    control = ControlServer(context, f"ipc://{folder}/control.ipc", desk.commands)
    return Office(network, gallery, pipeline, desk, control)


def ada(model_sha256: str) -> Template:
    return Template("Ada", ADA, 16, NOW, model_sha256, "recording")
