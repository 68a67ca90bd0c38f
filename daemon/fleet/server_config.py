"""The configuration of nats-server: an account for each site, and what each device may do there.

    qrsd.<site>.<device>.>          figures, events, waves: the device's own alone
    $KV.people_<site>.>             enrolled people: any device's
    $KV.acks_<site>.*.<device>      what the device has done about them: its own alone
    $KV.devices_<site>.<device>     that it is there: its own alone

Sites are accounts, which do not hear each other. A device may make a stream that is not there, and
change or delete none. It answers the operator alone, by name: with NATS's ``allow_responses`` a
device could ask itself, name any subject for the answer, and so say anything anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from daemon.fleet.credentials import OPERATOR

ACCOUNTS = "accounts.conf"
SERVER = """\
# nats-server for qrsd's fleet: docs/fleet.md. It needs 2.10.20 or newer.
listen: "0.0.0.0:4222"
tls {
  cert_file: "FOLDER/server.pem"
  key_file: "FOLDER/server.key"
  # Nothing is said before TLS, so that nobody in between can talk a device out of it.
  handshake_first: true
}
jetstream {
  store_dir: "/var/lib/nats"
  # On the disk before it is acknowledged. Its default of two minutes loses what was acknowledged.
  sync_interval: always
}
# Home Assistant may come to the same server: mqtt { port: 8883 }, with a user for it.
include "accounts.conf"
"""
#: What a site may fill. The server sets so much of its disk aside, and does not start without it.
LIMITS = "jetstream: {max_mem: 64M, max_file: 512M, max_streams: 32, max_consumers: 4096}"
STREAMS = (
    *("KV_people_{}", "KV_acks_{}", "KV_devices_{}"),
    *("KV_people_{}_simulated", "KV_acks_{}_simulated"),
    *("DIGESTS_{}", "EVENTS_{}"),
)
#: Of JetStream's API; what a stream is made by is named for each of ``STREAMS``.
API = (
    *("INFO", "STREAM.INFO.>", "STREAM.NAMES", "STREAM.MSG.GET.>", "DIRECT.GET.>"),
    "CONSUMER.>",
)


def accounts(sites: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    """Return the accounts; for each site its devices, by name and public NKey."""
    lines = ["# Made by qrsd keys fleet-device and qrsd fleet shut-out: do not edit.", "accounts {"]
    for site, devices in sorted(sites.items()):
        lines += [f'  "{site}" {{', f"    {LIMITS}", "    users: ["]
        lines += [f"      {_user(site, *device)}" for device in sorted(devices)]
        lines += ["    ]", "  }"]
    return "\n".join([*lines, "}", ""])


def _user(site: str, device: str, public: str) -> str:
    """Return a user, on one line; JSON is a part of the server's language."""
    user: dict[str, object] = {"nkey": public}
    if device != OPERATOR:
        user["permissions"] = {
            "publish": {"allow": _may_tell(site, device)},
            "subscribe": {"allow": _may_hear(site, device)},
        }
    return f"# {device}\n      {json.dumps(user)}"


def _may_tell(site: str, device: str) -> list[str]:
    streams = [each.format(site) for each in STREAMS]
    simulated = f"{site}_simulated"
    return [
        f"qrsd.{site}.{device}.>",
        f"_INBOX_{OPERATOR}.>",
        *(f"$KV.people_{each}.>" for each in (site, simulated)),
        *(f"$KV.acks_{each}.*.{device}" for each in (site, simulated)),
        f"$KV.devices_{site}.{device}",
        *(f"$JS.API.{each}" for each in API),
        *(f"$JS.API.STREAM.CREATE.{each}" for each in streams),
        *("$JS.ACK.>", "$JS.FC.>"),
    ]


def _may_hear(site: str, device: str) -> list[str]:
    others = (f"qrsd.{site}.*.digest", f"qrsd.{site}.*.event.>")
    return [f"_INBOX_{device}.>", f"qrsd.{site}.{device}.>", *others]
