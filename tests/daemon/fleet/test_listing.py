"""The list of a site's people has an end, whoever has filled the server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from daemon.fleet import listing
from daemon.fleet.buckets import Buckets
from daemon.fleet.link import linked
from daemon.fleet.listing import SitePeople, people_of
from tests.daemon.fleet.nats_server import serving

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(
    ("bound", "listed"),
    [(("MOST_KNOWN", 9), 9), (("MOST_BYTES", 4_999), 4), (("MOST_BYTES", 1 << 26), 20)],
)
def test_what_a_hostile_device_has_no_end_of_is_listed_in_part_and_this_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bound: tuple[str, int],
    listed: int,
) -> None:
    monkeypatch.setattr(listing, *bound)

    async def test() -> SitePeople:
        with serving(tmp_path / "server", "door-1") as server:
            async with linked(server.options("door-1")) as hostile:
                people = (await Buckets.open(hostile, simulated=True)).people
                for number in range(20):
                    await people.put(f"{number:064x}", bytes(1_000))
            async with linked(server.options("operator")) as link:
                return await people_of(link, b"k" * 32, simulated=True)

    found = asyncio.run(asyncio.wait_for(test(), 60))
    assert [person.state for person in found.people] == ["unreadable"] * listed
    assert found.left_out == 20 - listed
