"""Builds the service from its settings: the only file that knows all parts."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import zmq

from config.errors import SettingInvalid
from config.folders import another_is_the_systems, control_address, gallery_path, keys_folder
from config.gallery_key import find_gallery_key
from config.settings import Settings
from daemon.acquisition.handle import Acquisition, AcquisitionProcess
from daemon.background import started
from daemon.journal import event
from daemon.service.loop import Parts, Service
from daemon.service.observer import NullObserver, Observer
from daemon.service.people_commands import PeopleCommands
from daemon.service.pipeline import Pipeline
from daemon.service.rhythm import RhythmJudge
from daemon.service.sd_notify import Notifier
from daemon.service.slow_commands import SlowCommands
from daemon.service.time_source import TimeSource
from daemon.service.utc_clock import UtcClock
from daemon.service.variability import import_scipy
from daemon.wire.addresses import check_address, check_path, needs_key
from daemon.wire.answers import Description
from daemon.wire.connection_limit import raise_descriptor_limit
from daemon.wire.control import Command, ControlServer
from daemon.wire.curve_gate import CurveGate
from daemon.wire.errors import AddressRefused
from daemon.wire.keys import Right, service_key_path
from daemon.wire.messages import KINDS, SCHEMA, Source
from daemon.wire.publisher import Publisher
from daemon.wire.status import ModelStatus
from dsp.front_end import RATE_HZ
from model.beat_kinds import BeatKindJudge
from model.beat_network import BeatNetwork
from model.errors import GalleryNotSwept
from model.gallery import Gallery
from model.local_calibration import use_local
from model.network import Network
from model.opening import open_network

MACHINE_TIME = TimeSource()

_LOG = logging.getLogger(__name__)


@contextmanager
def assembled(
    settings: Settings,
    start_acquisition: Callable[[], Acquisition] | None = None,
    time: TimeSource = MACHINE_TIME,
) -> Iterator[Service]:
    """Yield a service that is ready to run, and close its parts afterwards.

    Args:
        settings: what everything is set to.
        start_acquisition: starts what samples come from, if not a process of its own.
        time: the machine's, or a virtual one.

    Raises:
        SettingsError, ModelError, GalleryError, DaemonError: a part cannot be built.
    """
    check(settings)
    raise_descriptor_limit()
    source = _source(settings)
    device = settings.device or socket.gethostname()
    clock = UtcClock(RATE_HZ, time.monotonic, time.wall)
    with ExitStack() as parts:
        gallery = parts.enter_context(_opened_gallery(source))
        network = open_network(settings.model_path, gallery.rotation_seed)
        _calibrate(network, gallery_path(simulated=source == "simulated"))
        pipeline = _pipeline(settings, network, gallery)
        people = _people_commands(settings, gallery, network, pipeline, clock)
        status = _model_status(network, gallery)
        context = parts.enter_context(zmq.Context())
        gate = parts.enter_context(_gate(settings, context))
        publisher = Publisher(
            context, settings.publish.addresses, device, source, gate, monotonic=time.monotonic
        )
        parts.enter_context(publisher)
        slow = parts.enter_context(_slow_commands(settings, gallery, pipeline))
        commands: dict[str, Command] = {
            **people.commands,
            **slow.commands,
            "describe": lambda: _describe(device, source, pipeline, status, people.version),
        }
        control = ControlServer(
            context, control_address(), commands, settings.control.addresses, gate
        )
        parts.enter_context(control)
        notifier = Notifier.of_this_process()
        parts.callback(notifier.close)
        if start_acquisition is None:
            started(import_scipy)
        yield Service(
            Parts(
                start_acquisition=start_acquisition or (lambda: AcquisitionProcess(settings)),
                pipeline=pipeline,
                people=people,
                publisher=publisher,
                control=control,
                gate=gate,
                clock=clock,
                notifier=notifier,
                time=time,
                model=status,
                observer=parts.enter_context(_observed(settings, network, source)),
            )
        )


def _source(settings: Settings) -> Source:
    return "simulated" if settings.source == "simulated" else "ads1292r"


@contextmanager
def _opened_gallery(source: Source) -> Iterator[Gallery]:
    """Yield the gallery, sealed if there is a key; go on if only its traces cannot be erased."""
    key = find_gallery_key()
    with Gallery(gallery_path(simulated=source == "simulated"), key=key) as gallery:
        if key is not None and not gallery.sealed:
            try:
                gallery.seal(key)
            except GalleryNotSwept as error:  # as on a full disk
                _LOG.warning("%s", error, extra=event("gallery_not_swept"))
        yield gallery


def _pipeline(settings: Settings, network: Network, gallery: Gallery) -> Pipeline:
    passport = network.passport
    templates = gallery.templates(passport.sha256, passport.tensors.outputs)
    rhythm = None
    if settings.rhythm.enabled:
        rhythm = RhythmJudge(BeatKindJudge(BeatNetwork()), settings.rhythm)
    return Pipeline(
        network,
        templates,
        settings.front_end,
        settings.identifier,
        settings.liveness,
        rhythm=rhythm,
    )


def _people_commands(
    settings: Settings, gallery: Gallery, network: Network, pipeline: Pipeline, clock: UtcClock
) -> PeopleCommands:
    people = PeopleCommands(
        gallery,
        network.passport,
        pipeline.recogniser,
        _source(settings),
        lambda: clock.date().isoformat(timespec="seconds"),
        grown_templates=settings.identifier.grown_templates,
    )
    people.open()
    return people


def _slow_commands(settings: Settings, gallery: Gallery, pipeline: Pipeline) -> SlowCommands:
    """Return the commands that have a network of their own, which decides as the service's does."""
    network = open_network(settings.model_path, gallery.rotation_seed)
    use_local(network, gallery_path(simulated=_source(settings) == "simulated"))
    passport = network.passport
    templates = partial(gallery.templates, passport.sha256, passport.tensors.outputs)
    return SlowCommands(network, settings, pipeline.recogniser, templates)


def _model_status(network: Network, gallery: Gallery) -> ModelStatus:
    passport = network.passport
    return ModelStatus(
        passport.name, passport.kind, passport.sha256, network.runtime, gallery.sealed
    )


def _describe(
    device: str, source: Source, pipeline: Pipeline, model: ModelStatus, people_version: str
) -> Description:
    """Answer ``describe``; what the channels record is known once the chip is set up."""
    return Description(
        version("qrsd"),
        device,
        source,
        SCHEMA,
        tuple(KINDS),
        pipeline.channels,
        model,
        people_version,
    )


def _calibrate(network: Network, gallery: Path) -> None:
    """Decide by this device's own calibration, if there is one, and log that."""
    local = use_local(network, gallery)
    if local is None:
        return
    if local.model_sha256 == network.passport.sha256:
        said = event("locally_calibrated", people=local.people)
        _LOG.info("thresholds are moved by %+.3f, by qrsd calibrate", local.shift, extra=said)
    else:
        said = event("calibration_unused")
        _LOG.warning("qrsd calibrate was run with another model: run it again", extra=said)


@contextmanager
def _observed(settings: Settings, network: Network, source: Source) -> Iterator[Observer]:
    """Yield the observer: the metrics, if they have a port."""
    if settings.metrics.port is None:
        yield NullObserver()
        return
    from daemon.service.metrics import Metrics, served

    metrics = Metrics(source)
    network.took = metrics.inference
    with served(metrics, settings.metrics.port):
        yield metrics


def check(settings: Settings) -> None:
    """Check what concerns several parts: settings that do not go together, addresses, packages.

    Raises:
        SettingInvalid: it has all problems.
    """
    problems = []
    if settings.chip.rate_hz != RATE_HZ:
        problems.append(
            f"chip.rate_hz: {settings.chip.rate_hz} is not {RATE_HZ:g}, the rate of the signal "
            "chain and of its models"
        )
    if settings.metrics.port is not None and find_spec("prometheus_client") is None:
        problems.append(
            "metrics.port is set, and metrics need prometheus-client, which is not installed: "
            f"{sys.executable} -m pip install prometheus-client, or set metrics.port: null"
        )
    # A mere user, of config check or doctor, cannot see the key of the service that is installed.
    keys = another_is_the_systems() or service_key_path(keys_folder()).exists()
    connect = settings.connect
    for checked in (
        *(partial(check_address, *each, keys=keys) for each in _addresses(settings)),
        *(partial(check_path, address) for address in (connect.messages, connect.control)),
    ):
        try:
            checked()
        except AddressRefused as error:
            problems.append(str(error))
    if problems:
        raise SettingInvalid(*problems)


@contextmanager
def _gate(
    settings: Settings, context: zmq.Context[zmq.Socket[bytes]]
) -> Iterator[CurveGate | None]:
    """Yield what authenticates clients, if an address needs it."""
    if any(needs_key(address, right) for address, right in _addresses(settings)):
        with CurveGate(context, keys_folder()) as gate:
            yield gate
    else:
        yield None


def _addresses(settings: Settings) -> Iterator[tuple[str, Right]]:
    """Yield each address of the service, with the right that clients need there."""
    yield control_address(), "control"
    yield from ((address, "listen") for address in settings.publish.addresses)
    yield from ((address, "control") for address in settings.control.addresses)
