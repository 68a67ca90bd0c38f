"""Models and figures: those of the passports, and an own model's without anybody's name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from config.web import WebOptions
from daemon.web.figures import SHIPPED
from model.beat_network import SHIPPED as BEAT_KINDS
from model.opening import DEFAULT_MODEL
from tests.daemon.web.serving import serving


def test_the_models_are_those_that_the_service_runs(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        told = client.get("/models").json()

    for card, path in ((told["identity"], DEFAULT_MODEL), (told["beats"], BEAT_KINDS)):
        assert path.parent == SHIPPED
        assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert card["licence"] == "ODC-By 1.0"
        assert card["runtime"] is None  # the service has not told


def test_the_figures_are_those_of_the_passports(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        told = client.get("/figures").json()

    passport = json.loads(DEFAULT_MODEL.with_suffix(".json").read_text())
    assert told["identity"] == passport["metrics"]
    sets = told["beats"]["confusion"]
    assert all(
        len(row) == len(told["beats"]["kinds"]) == len(sets[name])
        for name in sets
        for row in sets[name]
    )
    normal = sets["mitdb"][0]
    sensitivity = 100 * normal[0] / sum(normal)
    mean, least, most = told["beats"]["rates"]["mitdb"]["N_sensitivity"]
    assert least - 0.01 <= sensitivity <= most + 0.01
    assert least <= mean <= most
    assert (told["own"], told["own_error"]) == (None, None)


def test_own_figures_are_told_without_names(tmp_path: Path) -> None:
    measured = {
        "protocol": "p", "unit": "percent", "people": ["Zoe"], "enrolled": ["Zoe"],
        "by_beats": {"5": {"eer": {"percent": 3.0}}}, "by_folder": {"Zoe": {}},
    }  # fmt: skip
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(measured))
    web = WebOptions(port=0, figures=str(path))
    with serving(tmp_path, web=web) as served, served.client() as client:
        told = client.get("/figures").json()["own"]
        path.write_text("[]")
        broken = client.get("/figures").json()

    assert told == {"protocol": "p", "unit": "percent", "by_beats": measured["by_beats"]}
    assert broken["own"] is None
    assert broken["own_error"] == "figures.json: not a JSON object"
