"""A pipeline that knows Ada, and what to put into it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, TypeVar

from daemon.service.pipeline import Pipeline
from daemon.wire.messages import (
    IdentityMessage,
    Message,
)
from drivers.frame import Frame
from dsp.options import FrontEndOptions, LivenessOptions
from model.network import Network
from model.options import IdentifierOptions
from model.template import Template
from tests.daemon.frames import (
    ADA,
    SETUP,
    FakeNetwork,
)

Kind = TypeVar("Kind", bound=Message)


def pipeline_of(
    network: Network,
    *templates: Template,
    on_suspicion: Literal["refuse", "warn", "ignore"] = "ignore",
) -> Pipeline:
    """Return a pipeline that does not mind that the beats of ``beating`` are all the same."""
    liveness = LivenessOptions(on_suspicion)
    pipeline = Pipeline(network, templates, FrontEndOptions(), IdentifierOptions(), liveness)
    pipeline.use_setup(SETUP)
    return pipeline


def template(network: FakeNetwork, person: str) -> Template:
    return Template(person, ADA, 16, "2026-01-01T00:00:00Z", network.passport.sha256, "simulated")


def push(pipeline: Pipeline, frames: Iterable[Frame]) -> list[Message]:
    return [message for frame in frames for message in pipeline.push(frame)]


def only(kind: type[Kind], messages: Iterable[Message]) -> list[Kind]:
    return [message for message in messages if isinstance(message, kind)]


def identities(messages: Iterable[Message]) -> list[tuple[str, str | None]]:
    """Return the decisions, each once for as long as it stays the same."""
    told = [(message.state, message.person) for message in only(IdentityMessage, messages)]
    return [now for before, now in pairwise([("", None), *told]) if now != before]
