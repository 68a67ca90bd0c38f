"""The 72-bit frame: bytes to signed counts, counts to millivolts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frame import (
    decode,
    millivolts,
    millivolts_per_count,
    status_is_valid,
)

COUNTS = st.integers(-(1 << 23), (1 << 23) - 1)


@pytest.mark.parametrize(
    ("code", "counts", "mv"),
    [
        ("000000", 0, 0.0),
        ("000001", 1, 48.081e-6),
        ("7FFFFF", 8388607, 403.333),
        ("800000", -8388608, -403.333),
        ("FFFFFF", -1, -48.081e-6),
        ("AE48A5", -5355355, -257.492),
    ],
)
def test_codes_of_the_datasheet_convert_at_gain_6_and_2_42_volts(
    code: str, counts: int, mv: float
) -> None:
    assert decode(bytes.fromhex("C00000" + code + code)) == (0xC00000, (counts, counts))
    assert millivolts(counts, gain=6, vref_v=2.42) == pytest.approx(mv, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(
    ("gain", "vref_v", "nanovolts"),
    [(6, 2.42, 48.081), (4, 2.42, 72.12), (12, 2.42, 24.04), (1, 2.42, 288.49), (6, 4.033, 80.13)],
)
def test_the_size_of_a_count_follows_gain_and_reference(
    gain: int, vref_v: float, nanovolts: float
) -> None:
    assert millivolts_per_count(gain, vref_v) * 1e6 == pytest.approx(nanovolts, rel=2e-4)


def test_full_scale_is_the_reference_over_the_gain() -> None:
    assert millivolts((1 << 23) - 1, gain=4, vref_v=2.42) == pytest.approx(2420 / 4)


@given(st.integers(0, (1 << 24) - 1), COUNTS, COUNTS)
def test_a_frame_is_status_and_two_channels(status: int, ch1: int, ch2: int) -> None:
    data = status.to_bytes(3, "big") + b"".join(
        (counts & 0xFFFFFF).to_bytes(3, "big") for counts in (ch1, ch2)
    )
    assert decode(data) == (status, (ch1, ch2))


@pytest.mark.parametrize("status", [0xC00000, 0xCF8000, 0xC06000, 0xC78000, 0xCFE000])
def test_lead_off_and_gpio_bits_are_free(status: int) -> None:
    assert status_is_valid(status)


@given(st.integers(0, 23).filter(lambda bit: bit not in range(13, 20)))
def test_any_of_the_seventeen_fixed_bits_invalidates_the_frame(bit: int) -> None:
    assert not status_is_valid(0xC00000 ^ 1 << bit)
