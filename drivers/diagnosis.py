"""Finds, from the bytes that were read, the error that names what is wrong on the board."""

from __future__ import annotations

from collections.abc import Sequence

from drivers import registers as reg
from drivers.errors import (
    AllZeroFrames,
    BringUpError,
    ChipWasReset,
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
from drivers.frame import FRAME_BYTES, status_is_valid
from drivers.registers import Register

_FRAME_BITS = 8 * FRAME_BYTES
_ALL_BITS = (1 << _FRAME_BITS) - 1


def explain_id(answers: Sequence[bytes]) -> BringUpError:
    """Return why no answer to RREG of all registers, after two command bytes, has a known ID."""
    ids = [answer[2] for answer in answers]
    shown = ", ".join(f"{number:02X}" for number in ids)
    if not any(map(any, answers)):
        return MisoConstantLow(
            "Every bit read from the chip is 0: check its supply, the wiring of SCLK, CS and DOUT, "
            "that PWDN/RESET is high, that board.spi_hz is not over 1000000, and, with a logic "
            "analyser, that CS stays low from the first byte to the last: some kernels and SPI "
            "overlays, as on a Pi 5, raise it in between, and the chip drops the command."
        )
    if all(byte == 0xFF for answer in answers for byte in answer):
        return MisoConstantHigh(
            "Every bit read from the chip is 1: check that DOUT is connected to MISO and that the "
            "chip has power and is not held in reset."
        )
    if any(map(_holds_a_status_word, answers)):
        return StillStreaming(
            f"The ID reads as {shown}, which is conversion data: the chip did not take SDATAC. "
            "Check the wiring of DIN and CS, and that PWDN/RESET works."
        )
    if len(set(ids)) > 1:
        return UnstableId(
            f"The ID reads differently each time ({shown}): check for a loose ground, long wires, "
            "and another device on the SPI bus."
        )
    return UnknownId(
        f"The ID reads as {shown}, which no member of the family has (ADS1292R: 73): check the "
        "solder joint of DOUT, and the supply while the chip resets, as it loads its trim then."
    )


def check_part(chip_id: int, *, respiration: bool) -> None:
    """Refuse a member of the family that cannot do what is asked.

    Raises:
        WrongPart: it is a 16-bit or one-channel part, or has no respiration though it is wanted.
    """
    part = reg.PARTS[chip_id]
    if part == "ADS1292R" or (part == "ADS1292" and not respiration):
        return
    if part == "ADS1292":
        raise WrongPart(
            "The chip is an ADS1292 without respiration (ID 53), and its ECG would be spoilt by "
            "respiration settings: set chip.respiration: false, or fit an ADS1292R."
        )
    raise WrongPart(f"The chip is an {part} (ID {chip_id:02X}) and not an ADS1292R (ID 73).")


def check_reset_values(found: Sequence[int]) -> None:
    """Compare a dump of all registers with their reset values; the ID has been checked before.

    Raises:
        RegistersNotReset: some differ.
    """
    wrong = [
        f"{register.name} {found[register]:02X} (reset value {reg.RESET_VALUES[register]:02X})"
        for register in list(Register)[1:]
        if (found[register] ^ reg.RESET_VALUES[register]) & reg.STABLE_BITS[register]
    ]
    if wrong:
        raise RegistersNotReset(
            f"After reset the chip holds {', '.join(wrong)}: check the PWDN/RESET wire and "
            "board.reset_pin, and the SPI wiring for interference."
        )


def is_reset(found: Sequence[int]) -> bool:
    """Tell whether a dump of all registers shows nothing but reset values."""
    try:
        check_reset_values(found)
    except RegistersNotReset:
        return False
    return True


def chip_was_reset() -> ChipWasReset:
    """Return the error for registers that are back at their reset values in mid-run."""
    return ChipWasReset(
        "The chip has reset itself, its registers are back at their reset values: check the "
        "supply for dips (brown-out) and PWDN/RESET for interference."
    )


def explain_frames(frames: Sequence[bytes]) -> DriverError:
    """Return what is wrong with consecutive frames that all lack the fixed status bits."""
    if not any(map(any, frames)):
        return AllZeroFrames(
            "Frames are all zeros though the registers read back right: the chip lost the command "
            "to stream, or DOUT broke off. It should go away with a reset; check the supply."
        )
    if all(byte == 0xFF for frame in frames for byte in frame):
        return MisoConstantHigh(
            "Every bit of the frames is 1: check that DOUT is still connected to MISO."
        )
    shift = frame_shift(frames)
    if shift is None:
        return FrameOutOfSync(
            "Frames lack the fixed status bits C...: the data are disturbed. Shorten the SPI "
            "wires, lower board.spi_hz, check the ground, and keep other devices off the bus."
        )
    kind = "byte slip" if shift % 8 == 0 else "bit slip"
    return FrameOutOfSync(
        f"Frames are shifted by {shift} bits ({kind}): clock edges are lost or added. Check SCLK "
        "and CS for glitches, the SPI mode, and that nothing else uses the bus."
    )


def frame_shift(frames: Sequence[bytes]) -> int | None:
    """Return by how many bits all of ``frames`` are late, negative if early, or None.

    The chip repeats the frame when clocked on, so a shifted frame is a rotated one, and the fixed
    status bits are looked for at each of the 72 places.
    """
    for shift in sorted(range(_FRAME_BITS), key=lambda bits: min(bits, _FRAME_BITS - bits)):
        if all(status_is_valid(_rotated(frame, shift) >> 48) for frame in frames):
            return shift if shift <= _FRAME_BITS // 2 else shift - _FRAME_BITS
    return None


def _rotated(frame: bytes, bits: int) -> int:
    number = int.from_bytes(frame, "big")
    return (number << bits | number >> (_FRAME_BITS - bits)) & _ALL_BITS


def _holds_a_status_word(answer: bytes) -> bool:
    """Tell whether a frame's fixed status bits stand anywhere in the answer."""
    words = (int.from_bytes(answer[at : at + 3], "big") for at in range(len(answer) - 2))
    return any(map(status_is_valid, words))
