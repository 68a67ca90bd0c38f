"""Who may connect to an address without a key, and where programs of this machine connect."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from daemon.wire.addresses import check_address, local_address
from daemon.wire.errors import AddressRefused
from daemon.wire.keys import Right

IPC = "ipc:///run/qrsd/messages.ipc"


@pytest.mark.parametrize(
    ("addresses", "here", "keyed"),
    [
        (["tcp://*:5292", IPC], IPC, False),
        (["tcp://192.168.1.4:5292", "tcp://127.0.0.1:1"], "tcp://127.0.0.1:1", False),
        (["tcp://*:5292"], "tcp://127.0.0.1:5292", True),
        (["tcp://0.0.0.0:5292"], "tcp://127.0.0.1:5292", True),
        (["tcp://[::]:5292"], "tcp://127.0.0.1:5292", True),
        (["tcp://192.168.1.4:5292", "tcp://10.0.0.4:1"], "tcp://192.168.1.4:5292", True),
    ],
)
def test_programs_of_this_machine_connect_without_a_key_where_they_can(
    addresses: list[str], here: str, keyed: bool
) -> None:
    assert local_address(addresses) == (here, keyed)


@pytest.mark.parametrize(
    ("address", "right", "with_keys", "without"),
    [
        (IPC, "control", True, True),
        ("tcp://127.0.0.1:5292", "listen", True, True),
        ("tcp://127.0.0.1:5293", "control", True, False),
        ("tcp://192.168.1.4:5292", "listen", True, False),
        ("tcp://127.0.0.1:65535", "listen", True, True),
        ("tcp://127.0.0.1:65536", "listen", False, False),
    ],
)
def test_an_address_that_others_can_reach_takes_keys(
    address: str, right: Right, with_keys: bool, without: bool
) -> None:
    for keys, allowed in ((True, with_keys), (False, without)):
        with nullcontext() if allowed else pytest.raises(AddressRefused):
            check_address(address, right, keys=keys)
