"""The software's side: settings, running service, sockets, model, gallery, disk."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import zmq

from config.folders import (
    another_is_the_systems,
    control_address,
    gallery_path,
    recordings_folder,
    state_folder,
)
from config.gallery_key import find_gallery_key
from daemon.doctor.visit import Machine, Visit
from daemon.doctor.walk import Finding, check, fine, note, skipped, wrong
from daemon.service import assembly
from daemon.wire.addresses import IPC, LOOPBACK_HOST, local_address, somebody_has
from daemon.wire.binding import explained
from daemon.wire.client import Silent, Subscriber
from daemon.wire.errors import ServiceRefusesKey
from daemon.wire.keys import ClientKeys
from daemon.wire.messages import Received, StatusMessage
from model.errors import GallerySealed
from model.gallery import Gallery
from model.opening import open_network

PATIENCE_S = 3.0  # a running service says its status each second, and to a newcomer at once
LEAST_FREE_MB = 100
DAY_MB = 130  # of a recording: two channels of 24 bits, 250 times a second


@check("settings")
def settings(visit: Visit) -> Finding:
    """Can the service run with its settings?"""
    loaded = visit.load()
    assembly.check(loaded.settings)
    visit.settings = loaded.settings
    visit.simulated = loaded.settings.source == "simulated"
    origins = ", ".join(sorted(set(loaded.origins.values())))
    return fine(f"source: {loaded.settings.source}, from {origins or 'the defaults alone'}")


@check("service", settings)
def service(visit: Visit) -> Finding:
    """Does the service run? Then it has the chip, and is asked instead."""
    address, keyed = local_address(visit.settings.publish.addresses)
    if not _somebody_listens(address):
        if not visit.may_open:
            return wrong(
                "does not run: sudo systemctl start qrsd; if it ends, journalctl -u qrsd -n 20 "
                "tells why"
            )
        return fine("does not run, so the chip is free to be looked at")
    visit.way_in = address, visit.read_keys(visit.settings.connect) if keyed else None
    try:
        said = _newest_status(*visit.way_in)
    except ServiceRefusesKey:
        return wrong(
            f"It runs, and has the chip, and says nothing on {address} to those without a key that "
            "it knows: give --key and --service-key (qrsd keys --help), or add "
            "tcp://127.0.0.1:5292 to publish.addresses, where this machine's users may listen."
        )
    if said is None:
        return wrong(
            f"Something listens on {address} and says no status for {PATIENCE_S:g} s: another "
            "program has the port (ss -ltnp tells which), or qrsd hangs (systemctl restart qrsd)."
        )
    asked = {"chip": "ads1292r"}.get(visit.settings.source, visit.settings.source)
    source, status = said
    if source != asked:
        if visit.may_open:
            return note(f"runs with source {source}, which is not what is looked at here")
        visit.simulated = source == "simulated"
    visit.running = status
    return _how_it_runs(status)


def _how_it_runs(status: StatusMessage) -> Finding:
    counts = {name: getattr(status.counters, name) for name in ("received", "lost", "restarts")}
    text = ", ".join(f"{count:.0f} {name}" for name, count in counts.items())
    if status.state == "running":
        return fine(f"runs and has the chip, so it is asked: samples {text}", **counts)
    error = status.chip.error if status.chip else None
    why = error.message if error else "no samples come; journalctl -u qrsd -n 20 tells why"
    return wrong(f"It runs, but is {status.state} (samples {text}): {why}", **counts)


def _newest_status(address: str, keys: ClientKeys | None) -> tuple[str, StatusMessage] | None:
    """Return the service's source and its newest status; None if there is none in time."""
    with Subscriber(address, [StatusMessage.TOPIC], PATIENCE_S, keys) as subscriber:
        for item in subscriber:
            match item:
                case Received(stamp, StatusMessage() as status):
                    return stamp.source, status
                case Silent():
                    break
    return None


def _somebody_listens(address: str) -> bool:
    if address.startswith(IPC):
        return somebody_has(Path(address.removeprefix(IPC)))
    if address.endswith(":*"):  # whichever port it became, nobody else knows
        return False
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S).close()
    except OSError:  # nobody does, or the name is an interface's: then the port is tried below
        return False
    return True


@check("sockets", settings, service)
def sockets(visit: Visit) -> Iterator[Finding]:
    """Can the service have its addresses?"""
    settings = visit.settings
    addresses = (*settings.publish.addresses, control_address(), *settings.control.addresses)
    if visit.running is not None:
        yield fine(f"the running service has {visit.way_in[0]}")
        return
    if settings.metrics.port is not None:
        addresses += (f"tcp://{LOOPBACK_HOST}:{settings.metrics.port}",)
    for address in addresses:
        yield _file_socket(visit.machine, address) if address.startswith(IPC) else _port(address)


def _port(address: str) -> Finding:
    """Take a port and give it back."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.XPUB) as probe, explained(address):
        probe.bind(address)
    return fine(f"{address} is free")


def _file_socket(machine: Machine, address: str) -> Finding:
    """Look whether the file could be made, without making it or its folder."""
    folder = Path(address.removeprefix(IPC)).parent
    nearest = _nearest(machine, folder)
    if machine.may_use(nearest):
        return fine(f"{address} can be made")
    return note(
        f"{address}: {folder} belongs to another user; to look at it as the service, sudo -u qrsd "
        "qrsd doctor"
    )


def _nearest(machine: Machine, folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    found = machine.path(str(folder))
    while not os.path.exists(found):  # unlike Path's, False too where we may not look
        found = found.parent
    return found


@check("disk")
def disk(visit: Visit) -> Finding:
    """Is there room for the people who will be enrolled?"""
    folder = state_folder()
    nearest = _nearest(visit.machine, folder)
    free_mb = shutil.disk_usage(nearest).free / 1e6
    if free_mb < LEAST_FREE_MB:
        return wrong(
            f"{free_mb:.0f} MB are free for {folder}, {LEAST_FREE_MB} are the least: make room "
            "(sudo journalctl --vacuum-size=50M; sudo apt clean), or nobody can be enrolled.",
            free_mb=free_mb,
        )
    if not visit.machine.may_use(nearest):
        return note(f"{folder} belongs to another user; {free_mb:.0f} MB are free", free_mb=free_mb)
    return fine(f"{free_mb:.0f} MB are free for {folder}", free_mb=free_mb)


@check("room for recordings", settings)
def room_for_recordings(visit: Visit) -> Finding:
    """Is there room for what the recorder writes?"""
    folder = Path(visit.settings.record.folder or recordings_folder())
    free_mb = shutil.disk_usage(_nearest(visit.machine, folder)).free / 1e6
    told = f"{free_mb:.0f} MB are free for {folder}"
    if free_mb < DAY_MB:
        return note(
            f"{told}, and a day of BDF takes {DAY_MB}: erase recordings, or set record.folder to "
            "where there is more",
            free_mb=free_mb,
        )
    return fine(f"{told}: {free_mb / DAY_MB:.0f} days of BDF", free_mb=free_mb)


@check("model", settings)
def model(visit: Visit) -> Finding:
    """Is the model the one that its passport speaks of, for this signal chain, and does it load?"""
    network = open_network(visit.settings.model_path)
    visit.passport = passport = network.passport
    running = visit.running.model if visit.running else None
    if running and running.sha256 != passport.sha256:
        return note(
            f"The service runs {running.name!r} and the settings say {passport.name!r}: "
            "restart it (sudo systemctl restart qrsd)."
        )
    return fine(
        f"{passport.name} ({passport.kind}): SHA-256 {passport.sha256[:12]}... and signal "
        f"chain are as in its passport; {network.runtime} runs it"
    )


@check("people", settings, model)
def people(visit: Visit) -> Finding:
    """Can the templates be read by us, and by nobody else, and are they this model's?"""
    if visit.passport.kind == "classifier":
        return skipped(
            f"the model knows its group of {len(visit.passport.tensors.labels)} by itself"
        )
    if another_is_the_systems():
        return skipped("the service's are not this user's to see: sudo -u qrsd qrsd doctor")
    persons, sealed = set(), False
    path = gallery_path(simulated=visit.settings.source == "simulated")
    try:
        if path.is_file():  # and do not make an empty one, as opening it would
            with Gallery(path, key=find_gallery_key()) as gallery:
                templates = gallery.templates(visit.passport.sha256)
                persons, sealed = {template.person for template in templates}, gallery.sealed
    except GallerySealed:
        if find_gallery_key() is not None:
            raise
        return skipped("sealed, and only root and the service have the key: sudo qrsd doctor looks")
    says = f"{len(persons)} enrolled for this model"
    if not persons:
        return note("nobody is enrolled for this model yet: sudo qrsd enroll NAME", enrolled=0)
    if sealed:
        return fine(f"{says}, sealed", enrolled=len(persons))
    says += "; whoever gets the file can read it: sudo qrsd people seal --help"
    return note(says, enrolled=len(persons))
