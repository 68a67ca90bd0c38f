"""Units of voltage, as headings and headers spell them."""

from __future__ import annotations

import pytest

from daemon.recordings.signal_file import voltage_unit


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("ECG[mV]", "mv"),
        ("ECG mV (lead I)", "mv"),
        ("mV_filtered", "mv"),
        ("ecgInMillivolts", "mv"),
        ("ecgmV", "mv"),
        ("EcgMicroVolt", "uv"),
        ("ecg_microVolts_raw", "uv"),
        ("voltage_uv_ch1", "uv"),
        ("valueUv", "uv"),
        ("ECG_V", "v"),
        ("V", "v"),
        ("V5", None),
        ("Lead V (chest)", None),
        ("III, IV", None),
        ("2.5 uV/bit", None),
        ("10uV", None),
        ("kV", None),
        ("conv", None),
    ],
)
def test_a_unit_is_found_anywhere_in_a_heading(text: str, unit: str | None) -> None:
    assert voltage_unit(text) == unit


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("utf-8", "latin-1"),
        ("iso8859_7", "latin-1"),
        ("cp1253", "latin-1"),
        ("cp437", "latin-1"),
        ("shift_jis", "latin-1"),
        ("gbk", "latin-1"),
    ],
)
def test_a_micro_sign_is_one_in_another_code_page(written: str, read: str) -> None:
    micro = "\N{MICRO SIGN}" if written == "cp437" else "\N{GREEK SMALL LETTER MU}"
    assert voltage_unit(f"ECG ({micro}V)".encode(written).decode(read)) == "uv"
