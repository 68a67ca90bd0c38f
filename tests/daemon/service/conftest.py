from __future__ import annotations

from pathlib import Path

import pytest

from daemon.service.pipeline import Pipeline
from tests.daemon.frames import (
    FakeNetwork,
    fake_network,
)
from tests.daemon.service.pipelines import pipeline_of, template
from tests.model.models import embedder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def network(model: Path) -> FakeNetwork:
    return fake_network(model)


@pytest.fixture
def pipeline(network: FakeNetwork) -> Pipeline:
    return pipeline_of(network.as_network(), template(network, "Ada"))
