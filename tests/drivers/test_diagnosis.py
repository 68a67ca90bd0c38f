"""From bytes to the error that names the fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import registers as reg
from drivers.diagnosis import (
    check_part,
    check_reset_values,
    explain_frames,
    explain_id,
    frame_shift,
)
from drivers.errors import (
    AllZeroFrames,
    DriverError,
    FrameOutOfSync,
    MisoConstantHigh,
    MisoConstantLow,
    RegistersNotReset,
    StillStreaming,
    UnknownId,
    UnstableId,
    WrongPart,
)

#: Frames with noise in both channels, as five in a row look.
FRAMES = [bytes.fromhex(f"c00000 0123{low} fedc{low}") for low in ("45", "61", "17", "a9", "3c")]


def rotated(frame: bytes, bits: int) -> bytes:
    """Return a frame as it is read when it comes ``bits`` late."""
    number = int.from_bytes(frame, "big")
    late = number >> bits | number << (72 - bits)
    return (late & (1 << 72) - 1).to_bytes(9, "big")


def answer(first: str, rest: int = 0x55) -> bytes:
    """Return what came for RREG: two bytes during the command, then twelve registers."""
    return bytes(2) + bytes.fromhex(first) + bytes([rest]) * 11


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([bytes(14)] * 3, MisoConstantLow),
        ([b"\xff" * 14] * 3, MisoConstantHigh),
        ([bytes.fromhex("c00000 123456 fedcba c00000 1234")] * 3, StillStreaming),
        ([bytes.fromhex("c06000 7fffff fedcba c06000 1234")] * 3, StillStreaming),
        ([answer("12"), answer("99"), answer("12")], UnstableId),
        ([answer("bf")] * 3, UnknownId),
        ([answer("80")] * 3, UnknownId),
    ],
)
def test_each_wrong_answer_to_the_id_has_its_name(
    answers: list[bytes], error: type[DriverError]
) -> None:
    assert type(explain_id(answers)) is error


def test_chip_select_that_rises_between_bytes_is_among_the_causes_of_zeros() -> None:
    assert "CS stays low from the first byte to the last" in str(explain_id([bytes(14)] * 3))


def test_a_part_without_respiration_is_told_apart() -> None:
    check_part(0x73, respiration=True)
    check_part(0x53, respiration=False)
    with pytest.raises(WrongPart, match=r"ADS1292 .* set chip\.respiration: false"):
        check_part(0x53, respiration=True)


@pytest.mark.parametrize(("chip_id", "name"), [(0x52, "1291"), (0x51, "1192"), (0x50, "1191")])
def test_other_members_of_the_family_are_named(chip_id: int, name: str) -> None:
    with pytest.raises(WrongPart, match=f"ADS{name}"):
        check_part(chip_id, respiration=False)


def test_registers_that_are_not_reset_are_listed_with_what_they_should_be() -> None:
    found = list(reg.RESET_VALUES)
    found[1], found[9] = 0x01, 0xEA
    with pytest.raises(RegistersNotReset, match=r"CONFIG1 01 \(reset value 02\), RESP1 EA"):
        check_reset_values(found)


def test_bits_that_follow_the_electrodes_and_pins_need_no_reset_value() -> None:
    found = list(reg.RESET_VALUES)
    found[8], found[11] = 0x1F, 0x0F
    check_reset_values(found)


@given(st.integers(-35, 36))
def test_a_slip_is_measured_in_bits(bits: int) -> None:
    assert frame_shift([rotated(frame, bits % 72) for frame in FRAMES]) == bits


def test_whole_bytes_are_told_from_bits() -> None:
    assert "8 bits (byte slip)" in str(explain_frames([rotated(f, 8) for f in FRAMES]))
    assert "-8 bits (byte slip)" in str(explain_frames([rotated(f, 64) for f in FRAMES]))
    assert "3 bits (bit slip)" in str(explain_frames([rotated(f, 3) for f in FRAMES]))


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ([bytes(9)] * 5, AllZeroFrames),
        ([b"\xff" * 9] * 5, MisoConstantHigh),
        ([bytes.fromhex("a5a5a5 123456 789abc")] * 5, FrameOutOfSync),
    ],
)
def test_frames_without_a_status_word_have_their_name(
    frames: list[bytes], error: type[DriverError]
) -> None:
    assert type(explain_frames(frames)) is error
