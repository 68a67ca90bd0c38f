"""Why the present decision is what it is, without the name for who may not hear it."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.web import gate
from daemon.web.gate import Caller
from tests.daemon.web.serving import serving
from tests.daemon.web.test_people import staffed, wear


def test_a_decision_is_explained_once_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path, staffed(tmp_path)) as served, served.client() as client:
        none = client.get("/explanation")
        assert (none.status_code, none.json()["code"]) == (409, "no_decision")
        client.post("/enrolment", json={"person": "Ada", "consent": True, "beats": 5})
        wear(tmp_path, 20.0)
        told = client.get("/explanation").json()
        monkeypatch.setattr(gate, "THIS_MACHINE", Caller(frozenset({"live"})))
        nameless = client.get("/explanation").json()

    assert (told["state"], told["person"], told["beats"]) == ("accepted", "Ada", 10)
    assert len(told["ecg_mv"]) == len(told["weights"]) == len(told["offsets_s"]) == 175
    assert nameless == told | {"person": None}
