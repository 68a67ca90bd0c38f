"""Two services, each with its fleet app, and a real nats-server: from enrolling to forgetting."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.wire.client import Control, Subscriber
from daemon.wire.messages import IdentityMessage, Received
from model.opening import DEFAULT_MODEL
from tests.daemon.background import wait_for
from tests.daemon.fleet.nats_server import NatsServer, serving
from tests.daemon.running import PATIENCE_S, Running, environment, qrsd, running, terminated

WEARER = (  # the same at both doors; a synthetic heart is told from a living one after a minute
    "--set=simulated.play=[{heart: 1}]",
    "--set=liveness.on_suspicion=ignore",
)


@contextmanager
def door(folder: Path, server: NatsServer) -> Iterator[Running]:
    """Run a service and ``qrsd fleet run`` with what docs/fleet.md has put on a device."""
    folder.mkdir()
    of_site = server.options(folder.name)
    shutil.copy(of_site.credentials, folder / "qrsd.fleet")
    shutil.copy(of_site.site_key, folder / "qrsd.site-key")
    fleet = [sys.executable, "-m", "daemon", "fleet", "run"]
    env = environment(folder) | {
        "QRSD_PUBLISH_ADDRESSES": f"['ipc://{folder}/messages.ipc']",
        "QRSD_FLEET_SERVERS": json.dumps(of_site.servers),
        "QRSD_FLEET_SITE": of_site.site,
        "QRSD_FLEET_CA": of_site.ca,
    }
    with (
        running(folder, DEFAULT_MODEL, *WEARER) as service,
        (folder / "said").open("w") as said,
        subprocess.Popen(fleet, env=env, stderr=said) as app,
    ):
        try:
            yield service
        finally:
            status = terminated(app)
    assert status == 0, (folder / "said").read_text()


def people(folder: Path) -> list[dict[str, object]]:
    with Control(f"ipc://{folder}/control.ipc", PATIENCE_S) as control:
        return list(control.request("people")["people"])


def person_told(folder: Path) -> str | None:
    """Return the name, if any, that a subscriber who comes now is told first."""
    with Subscriber(f"ipc://{folder}/messages.ipc", ["identity"]) as subscriber:
        return next(
            item.message.person
            for item in subscriber
            if isinstance(item, Received) and isinstance(item.message, IdentityMessage)
        )


@pytest.mark.servers
def test_who_is_enrolled_at_one_door_is_recognised_at_the_other_until_forgotten_there(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / name for name in ("door-1", "door-2")]
    with (
        serving(tmp_path / "server", *(each.name for each in folders)) as server,
        door(folders[0], server) as one,
        door(folders[1], server) as two,
    ):
        for service in (one, two):
            service.status(lambda status: status.state == "running")
        enrolled = qrsd(folders[0], "enroll", "Ada", "--consent", "--beats", "5")
        assert enrolled.returncode == 0, enrolled.stderr

        two.hear(lambda said: isinstance(said, IdentityMessage) and said.person == "Ada")
        [[here], [there]] = map(people, folders)
        assert here["name"] == there["name"] == "Ada"
        assert here["consent_utc"] == there["consent_utc"] is not None

        forgotten = qrsd(folders[1], "people", "forget", "Ada", "--yes")
        assert forgotten.returncode == 0, forgotten.stderr
        # Only then who it is: where samples are lost, there are identities without a name before.
        wait_for(lambda: [*map(people, folders)] == [[], []], PATIENCE_S)
        wait_for(lambda: [*map(person_told, folders)] == [None, None], PATIENCE_S)
    assert "Ada" not in "".join((each / "said").read_text() for each in folders)
