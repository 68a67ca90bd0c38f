from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from tests.daemon.office import Office, open_office
from tests.model.models import embedder


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    """A ZeroMQ context that is closed whatever happens."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def office(tmp_path: Path, context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[Office]:
    """A front desk to which nobody has come yet."""
    office = open_office(embedder(tmp_path), tmp_path, context)
    yield office
    office.close()
