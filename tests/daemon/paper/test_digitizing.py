"""Pages that matplotlib draws, and what is read from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.paper.pages import DEGRADATIONS, FINE_MM, PAPERS, Image, Paper, draw, printed
from benchmarks.paper.reading import read_back
from daemon.paper.digitizing import Asked, digitize
from daemon.paper.errors import PageUnusable
from daemon.paper.page import part_of
from drivers.waveforms.hearts import Heart
from tests.daemon.paper.conftest import COARSE_SCAN

Mv = NDArray[np.float64]


@pytest.fixture(scope="module")
def page(heart_mv: Mv) -> Image:
    return draw([heart_mv], COARSE_SCAN)


@pytest.fixture(scope="module")
def page_without_pulse(heart_mv: Mv) -> Image:
    return draw([heart_mv], replace(COARSE_SCAN, pulse=False))


def test_a_scan_is_read_with_its_r_waves_and_its_heart_rate(page: Image, heart_mv: Mv) -> None:
    reading = read_back(page, heart_mv)
    assert reading.refused is None
    assert reading.snr_db > 20
    assert reading.r_error_percent < 5
    assert reading.rate_error_per_minute < 0.5
    assert reading.within_two_errors > 0.8


@pytest.mark.parametrize("kind", [*DEGRADATIONS])
def test_a_spoilt_page_is_read_or_refused(kind: str, page: Image, heart_mv: Mv) -> None:
    spoilt = DEGRADATIONS[kind](page, np.random.default_rng(1))
    reading = read_back(spoilt, heart_mv)
    assert reading.refused or (reading.snr_db > 12 and reading.rate_error_per_minute < 0.5)


@pytest.mark.parametrize("kind", ["50 mm/s", "5 mm/mV", "grey", "screen"])
def test_speed_gain_and_colours_are_read_off_the_page(kind: str) -> None:
    paper = replace(PAPERS[kind], dpi=150)
    mv = printed(Heart(3).ecg_mv[: 12 * 250], paper)
    reading = read_back(draw([mv], paper), mv)
    assert reading.refused is None
    assert reading.snr_db > 20


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(), "no calibration pulse is found: give --speed and --gain, as is printed"),
        (Asked(mm_per_s=25), "no calibration pulse is found: give --gain, as is printed"),
        (Asked(25, 10, wave_mm=5), "by which the lines are 1 mm apart and not --grid 5"),
        (Asked(25, 10, strip=2), "--strip 2: 1 strip found"),
    ],
)
def test_what_a_page_does_not_say_is_asked_for(
    page_without_pulse: Image, asked: Asked, said: str
) -> None:
    with pytest.raises(PageUnusable, match=said):
        digitize(page_without_pulse, asked)


def test_what_is_printed_on_the_page_can_be_said(page_without_pulse: Image, heart_mv: Mv) -> None:
    reading = read_back(page_without_pulse, heart_mv, Asked(mm_per_s=25, mm_per_mv=10))
    assert reading.refused is None
    assert reading.snr_db > 20


def test_a_gain_that_the_pulse_contradicts_is_refused(page: Image) -> None:
    with pytest.raises(PageUnusable, match="10 mm/mV and not --gain 5"):
        digitize(page, Asked(mm_per_mv=5))


def test_where_all_lines_are_alike_the_pulse_says_how_far_apart_they_are(heart_mv: Mv) -> None:
    alike = replace(COARSE_SCAN, fine=COARSE_SCAN.coarse, coarse_mm=FINE_MM)
    found = digitize(draw([heart_mv], alike), Asked())
    assert "lines 1 mm apart, by the height of the calibration pulse" in found.notes
    without = draw([heart_mv], replace(alike, pulse=False))
    with pytest.raises(PageUnusable, match="give --grid 1 or --grid 5"):
        digitize(without, Asked(25, 10))
    with pytest.raises(PageUnusable):
        digitize(without, Asked(25, 10, wave_mm=5))


def test_lines_of_five_millimetres_alone_are_not_taken_for_one(heart_mv: Mv) -> None:
    reading = read_back(draw([heart_mv], replace(COARSE_SCAN, fine="#fffafa")), heart_mv)
    assert reading.refused is None
    assert reading.snr_db > 20


def test_of_several_strips_the_one_that_is_asked_for_is_read(heart_mv: Mv) -> None:
    other_mv = printed(Heart(5).ecg_mv[: 12 * 250], COARSE_SCAN)
    page = draw([heart_mv, other_mv], COARSE_SCAN)
    for strip, mv in ((1, heart_mv), (2, other_mv)):
        assert read_back(page, mv, Asked(strip=strip)).snr_db > 20
    height = page.shape[0]
    box = (0, height // 2, page.shape[1], height // 2)
    assert read_back(part_of(page, box), other_mv).snr_db > 20


@pytest.mark.parametrize("kind", ["clean", "noise"])
def test_tall_r_waves_are_neither_a_strip_of_their_own_nor_cut_off(kind: str, heart_mv: Mv) -> None:
    tall_mv = 1.8 * heart_mv
    assert np.ptp(tall_mv) > 2.5
    page = DEGRADATIONS[kind](draw([tall_mv], COARSE_SCAN), np.random.default_rng(1))
    reading = read_back(page, tall_mv, Asked())
    assert reading.snr_db > 20
    assert reading.r_error_percent < 5


def test_an_ecg_that_is_too_low_for_the_pen_is_refused(heart_mv: Mv) -> None:
    rng = np.random.default_rng(1)
    low_mv = printed(0.15 * heart_mv + rng.normal(0, 0.05, len(heart_mv)), COARSE_SCAN)
    refused = read_back(draw([low_mv], COARSE_SCAN), low_mv)
    assert refused.refused
    assert "the trace is too low" in refused.refused


def test_ink_that_is_missing_is_missing_in_the_recording(page: Image) -> None:
    torn = page.copy()
    torn[:, 900:925] = page[5, 5]
    found = digitize(torn, Asked())
    missing = np.isnan(found.ecg_mv)
    assert missing.sum() == pytest.approx(250 * 25 / (150 / 25.4 * 25), rel=0.25)
    assert np.array_equal(missing, np.isnan(found.error_mv))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_picture_without_millimetre_paper_is_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 255, (600, 900, 3), dtype=np.uint8)
    with pytest.raises(PageUnusable):
        digitize(picture, Asked(25, 10, 1))


def test_paper_without_a_trace_is_refused() -> None:
    with pytest.raises(PageUnusable, match=r"no trace"):
        digitize(draw([], Paper(dpi=150)), Asked(25, 10))
