"""Each departure that can be taken back is one, and is put back afterwards."""

from __future__ import annotations

import pytest

from benchmarks.qrs.ablation import DEPARTURES, without
from dsp import pan_tompkins


@pytest.mark.parametrize("name", DEPARTURES)
def test_a_departure_is_taken_back_and_restored(name: str) -> None:
    papers = DEPARTURES[name].constants
    ours = {constant: getattr(pan_tompkins, constant) for constant in papers}
    assert all(ours[constant] != value for constant, value in papers.items())
    with without(DEPARTURES[name]):
        assert {constant: getattr(pan_tompkins, constant) for constant in papers} == papers
    assert {constant: getattr(pan_tompkins, constant) for constant in papers} == ours


def test_another_band_gives_another_filter() -> None:
    ours = pan_tompkins.band_pass_sections(250.0)
    with without(DEPARTURES["band"]):
        assert pan_tompkins.band_pass_sections(250.0) != ours
    assert pan_tompkins.band_pass_sections(250.0) == ours
