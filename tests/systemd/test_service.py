"""The installed service from boot to uninstall, under a real systemd: ``make test-system``.

One machine is booted for all the tests, which follow one another as in a life of it; whatever one
of them breaks is started afresh for the next.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.systemd.machine import (
    HEALTHY,
    CannotBoot,
    Machine,
    Subscriber,
    accepted,
    booted,
    configure,
    wait_until,
)

pytestmark = pytest.mark.system

SILENT = HEALTHY + "  chip: {faults: [drdy-stuck-high]}\n"
SOON_SILENT = HEALTHY + "  chip: {faults: [drdy-stuck-high@3]}\n"
#: So long may it take to be back.
BACK_S = 10.0
START_S = 60.0  # for what Python takes on a busy machine to begin
#: In place of the unit's 20, so that it takes the tests less long.
WATCHDOG_S = 4
SHORT_WATCHDOG = (f"WatchdogSec={WATCHDOG_S}",)
#: Where everybody of the machine may listen.
HERE = "tcp://127.0.0.1:5292"
#: What the log says of a chip whose DRDY does not fall.
WHY = "DRDY did not fall"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    try:
        with booted(tmp_path_factory.mktemp("systemd")) as machine:
            yield machine
    except CannotBoot as error:
        pytest.skip(str(error))


@pytest.fixture
def running(machine: Machine) -> Machine:
    """The machine with the service as most people have it: running, and nothing is wrong."""
    if machine.state() != "active":
        configure(machine)
        machine.said("systemctl", "start", "qrsd")
    return machine


def heard_again(subscriber: Subscriber, after: int) -> dict[str, Any]:
    """Return the first status, after so many items, of a service that has samples."""
    return subscriber.hear(lambda item: item.get("state") == "running", after)


def test_systemd_has_nothing_to_say_against_the_installed_unit(machine: Machine) -> None:
    assert machine.said("systemd-analyze", "verify", "--man=no", "qrsd.service") == ""


def test_it_is_not_ready_without_samples_and_the_log_says_why(machine: Machine) -> None:
    configure(machine, SILENT)
    before = machine.cursor()

    refused = machine.run("systemctl", "start", "qrsd")

    assert refused.returncode != 0
    assert machine.shown("ActiveEnterTimestamp") == ""
    assert WHY in machine.journal(before)
    # A loose plug may be pushed in, so it is tried again.
    wait_until(lambda: machine.shown("NRestarts") != "0", BACK_S)


def test_it_is_ready_once_samples_flow(machine: Machine) -> None:
    configure(machine)

    machine.said("systemctl", "enable", "--now", "qrsd")

    assert machine.state() == "active"
    wait_until(lambda: " samples, " in machine.shown("StatusText"), BACK_S)


def test_nobody_else_may_reach_the_people_or_the_control_socket(running: Machine) -> None:
    modes = running.said("stat", "--format=%U %a", "/var/lib/qrsd", "/run/qrsd").splitlines()
    assert modes == ["qrsd 700", "qrsd 700"]


def test_a_subscriber_hears_whose_heart_it_is(running: Machine) -> None:
    with running.subscriber() as subscriber:
        enrolled = running.run("qrsd", "enroll", "Ada", "--beats", "10", patience_s=60)
        assert enrolled.returncode == 0, enrolled.stderr
        identity = subscriber.hear(accepted)
    assert identity["person"] == "Ada"
    assert identity["source"] == "simulated"


def test_the_doctor_finds_nothing_wrong_as_the_readme_asks_it(running: Machine) -> None:
    said = doctor(running)
    assert {said[name] for name in ("settings", "service", "sockets")} == {"fine"}
    assert {said[name] for name in ("model", "disk", "samples")} == {"fine"}
    assert said["people"] == "note"  # they are not sealed


def doctor(machine: Machine) -> dict[str, str]:
    """Return the verdicts of the doctor, whom the service's user asks."""
    asked = ("runuser", "-u", "qrsd", "--", "qrsd", "doctor", "--json")
    findings = json.loads(machine.run(*asked, patience_s=60).stdout)["findings"]
    return {finding["about"]: finding["verdict"] for finding in findings}


def test_a_sealed_gallery_opens_with_the_key_that_systemd_hands_over(running: Machine) -> None:
    assert "until it is restarted" in running.said("qrsd", "people", "seal")
    refused = running.run("qrsd", "enroll", "Bob")
    assert refused.returncode == 65
    assert "sudo systemctl restart qrsd" in refused.stderr

    running.said("systemctl", "restart", "qrsd")

    with running.subscriber() as subscriber:
        assert heard_again(subscriber, 0)["model"]["people_sealed"] is True
        assert subscriber.hear(accepted)["person"] == "Ada"
    assert doctor(running)["people"] == "skipped"  # the key is root's
    assert '"sealed": true' in running.said("qrsd", "people", "list", "--json")


def test_other_machines_come_in_with_a_key_and_not_without(machine: Machine) -> None:
    service, screen = (
        machine.said("qrsd", "keys", "new", *file) for file in ((), ("/root/screen.key",))
    )
    machine.said("qrsd", "keys", "allow", "screen", screen)
    configure(machine, f"{HEALTHY}publish: {{addresses: ['{HERE}', 'tcp://*:5293']}}\n")
    machine.said("systemctl", "start", "qrsd")
    there = ("qrsd", "watch", "--json", "--address", "tcp://127.0.0.1:5293")
    keys = ("--key", "/root/screen.key", "--service-key", service)

    assert '"topic": "status"' in machine.run("timeout", "10", *there, *keys).stdout
    assert machine.run(*there).returncode == 77
    machine.said("qrsd", "keys", "revoke", "screen")
    # The service looks at the list each second.
    wait_until(lambda: machine.run("timeout", "5", *there, *keys).returncode == 77, BACK_S)


def test_the_status_tells_what_the_kernel_granted(running: Machine) -> None:
    assert told_and_true(running)["policy"] in ("SCHED_FIFO", "SCHED_OTHER")


def told_and_true(machine: Machine) -> dict[str, Any]:
    """Return what the status says of the scheduling, which must be what the kernel says."""
    _, acquisition = machine.processes()
    with machine.subscriber() as subscriber:
        told: dict[str, Any] = heard_again(subscriber, 0)["scheduling"]
    ask = f"import os; print(os.sched_getscheduler({acquisition}))"
    fifo = machine.said("python3", "-c", ask) == str(os.SCHED_FIFO)
    assert told["policy"] == ("SCHED_FIFO" if fifo else "SCHED_OTHER")
    locked_kb = machine.said("grep", "VmLck", f"/proc/{acquisition}/status").split()[1]
    assert told["memory_locked"] == (locked_kb != "0")
    return told


def test_killed_it_is_back_and_subscribers_can_tell(running: Machine) -> None:
    people = running.said("qrsd", "people", "export")
    main, acquisition = running.processes()
    with running.subscriber() as subscriber:
        boot = heard_again(subscriber, 0)["boot"]
        heard = len(subscriber.heard)

        running.kill("KILL", main)

        # systemd's state is still "active" until it has noticed.
        back_s = wait_until(lambda: running.shown("MainPID") not in ("0", str(main)), BACK_S)
        back_s += wait_until(lambda: running.state() == "active", BACK_S - back_s)
        restarted = subscriber.hear(lambda item: item.get("event") == "restarted", heard)
        since = subscriber.heard.index(restarted)
        first = heard_again(subscriber, since)
        assert subscriber.hear(accepted, since)["person"] == "Ada"
    print(f"back after {back_s:.1f} s")
    assert restarted["boot"] == first["boot"] != boot
    assert running.run("test", "-e", f"/proc/{acquisition}").returncode != 0
    assert running.said("qrsd", "people", "export") == people


def test_without_its_acquisition_process_it_starts_another_and_counts_the_loss(
    running: Machine,
) -> None:
    main, acquisition = running.processes()
    with running.subscriber() as subscriber:
        before = heard_again(subscriber, 0)
        heard = len(subscriber.heard)

        running.kill("KILL", acquisition)

        killed_s = time.monotonic()
        recovering = subscriber.hear(lambda item: item.get("state") == "recovering", heard)
        after = heard_again(subscriber, subscriber.heard.index(recovering))
        back_s = time.monotonic() - killed_s
    print(f"back after {back_s:.1f} s")
    assert back_s < BACK_S
    assert running.processes()[0] == main
    assert after["boot"] == before["boot"]
    assert not [item for item in subscriber.heard if "event" in item]  # no message is missing
    assert after["counters"]["restarts"] == before["counters"]["restarts"] + 1
    lost = after["counters"]["lost"] - before["counters"]["lost"]
    received = after["counters"]["received"] - before["counters"]["received"]
    assert after["index"] - before["index"] == lost + received
    assert lost > 250


def test_refused_it_says_so_and_goes_on(machine: Machine) -> None:
    configure(machine, unit=("CPUSchedulingPolicy=other", "LimitRTPRIO=0", "LimitMEMLOCK=64K"))
    machine.said("systemctl", "start", "qrsd")

    told = told_and_true(machine)

    assert (told["policy"], told["memory_locked"]) == ("SCHED_OTHER", False)


def test_the_watchdog_starts_it_again_when_it_stands_still(machine: Machine) -> None:
    configure(machine, unit=SHORT_WATCHDOG)
    machine.said("systemctl", "start", "qrsd")
    main, _ = machine.processes()

    machine.kill("STOP", main)

    wait_until(lambda: machine.shown("MainPID") not in ("0", str(main)), WATCHDOG_S + BACK_S)
    wait_until(lambda: machine.state() == "active", BACK_S)


def test_the_watchdog_bites_when_no_samples_come(machine: Machine) -> None:
    configure(machine, unit=SHORT_WATCHDOG)
    machine.said("systemctl", "start", "qrsd")
    _, acquisition = machine.processes()
    before = machine.cursor()

    machine.kill("STOP", acquisition)

    wait_until(lambda: "Watchdog timeout" in machine.journal(before), WATCHDOG_S + BACK_S)
    assert "no samples come" in machine.journal(before)


def test_a_chip_that_falls_silent_does_not_feed_the_watchdog(machine: Machine) -> None:
    configure(machine, SOON_SILENT)
    machine.said("systemctl", "start", "qrsd")
    before = machine.cursor()

    wait_until(lambda: "no samples come" in machine.journal(before), BACK_S)
    fed = machine.shown("WatchdogTimestampMonotonic")
    wait_until(lambda: "acquisition starts again" in machine.journal(before), BACK_S)

    assert machine.shown("WatchdogTimestampMonotonic") == fed
    assert WHY in machine.journal(before)


def test_a_wrong_setting_is_not_tried_again(machine: Machine) -> None:
    configure(machine, HEALTHY + "chip: {gain: 5}\n")
    before = machine.cursor()

    assert machine.run("systemctl", "start", "qrsd").returncode != 0

    assert (machine.state(), machine.shown("ExecMainStatus")) == ("failed", "78")
    assert machine.shown("NRestarts") == "0"
    assert "chip.gain: 5 is not one of" in machine.journal(before)


def asked(machine: Machine, path: str) -> dict[str, Any]:
    """Return what the web server answers, be it a problem; nothing if it does not."""
    url = f"http://127.0.0.1:5280/api/v1{path}"
    said = machine.run("curl", "--silent", url).stdout
    answer = json.loads(said) if said else {}
    assert isinstance(answer, dict)
    return answer


def shown(machine: Machine, unit: str, *names: str) -> list[str]:
    """Return properties of a unit."""
    said = machine.said("systemctl", "show", unit, *(f"--property={name}" for name in names))
    return [line.partition("=")[2] for line in said.splitlines()]


def test_recorder_notifier_and_web_server_run_beside_it(machine: Machine) -> None:
    configure(machine, HEALTHY + "notify: {webhook: {url: 'http://127.0.0.1:9/'}}\n")
    apps = ("qrsd-record", "qrsd-notify", "qrsd-web")
    machine.said("systemctl", "start", "qrsd", *apps)
    wait_until(lambda: asked(machine, "/health").get("ok", False), START_S)
    wait_until(lambda: asked(machine, "/recordings")["recorder"]["state"] != "off", START_S)

    for app in apps:
        assert shown(machine, app, "ActiveState") == ["active"]
        assert shown(machine, app, "NRestarts") == ["0"]
    assert asked(machine, "/status")["source"] == "simulated"
    assert "people" in asked(machine, "/people")
    assert asked(machine, "/device")["describe"]["source"] == "simulated"
    [process] = shown(machine, "qrsd-web", "MainPID")
    assert machine.said("ls", "/var/lib/qrsd") != ""
    assert machine.run("ls", f"/proc/{process}/root/var/lib/qrsd").stdout == ""
    warnings = ("--unit=qrsd-web", "--priority=warning", "--output=cat", "--quiet")
    assert machine.said("journalctl", *warnings) == ""
    machine.said("systemctl", "stop", *apps)
    for app in apps:
        assert shown(machine, app, "Result") == ["success"]


def test_it_comes_back_by_itself_after_a_reboot(running: Machine) -> None:
    running.reboot()

    assert running.state() == "active"
    assert running.shown("NRestarts") == "0"
    with running.subscriber() as subscriber:
        assert subscriber.hear(accepted)["person"] == "Ada"


def test_uninstalled_it_leaves_nothing(running: Machine) -> None:
    running.said("make", "-C", "/usr/local/src/qrsd", "uninstall", "PURGE=1")

    assert running.left_behind() == ""
    assert running.run("id", "qrsd").returncode != 0
    assert running.said("systemctl", "list-units", "--all", "--quiet", "qrsd*") == ""
    # A subscriber that was killed a moment ago may still be on its way out.
    wait_until(lambda: running.run("pgrep", "--full", "qrsd").returncode != 0, 10.0)
