"""What is said of each fault of the simulated chip that can be told from outside."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from daemon.acquisition.sources import open_source
from daemon.doctor import board, computer, samples, signal, software
from daemon.doctor.checks import CHECKS
from daemon.doctor.visit import Visit
from daemon.doctor.walk import Finding
from drivers.opcodes import Opcode
from tests.daemon.doctor.visits import found, raspberry_pi, visit_to

STEPS = (
    software.settings,
    software.service,
    computer.permissions,
    computer.spi_bus,
    board.board,
    board.registers,
    signal.samples,
    signal.rate,
    signal.jitter,
    signal.losses,
    signal.channels,
    signal.electrodes,
    signal.mains,
)

IN2P_OFF = 1 << 17  # of the status word


@pytest.fixture(autouse=True)
def fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SECONDS", 5)


def simulated(tmp_path: Path, *assignments: str) -> Visit:
    nowhere = f"publish.addresses=['ipc://{tmp_path}/messages.ipc']"
    one_heart = "simulated.play=[{heart: 13}]"
    return visit_to(tmp_path, "source=simulated", nowhere, one_heart, *assignments)


def look(tmp_path: Path, *assignments: str) -> dict[str, Finding]:
    return found(simulated(tmp_path, *assignments), STEPS)


def test_a_sound_chip_is_fine_in_everything(tmp_path: Path) -> None:
    said = look(tmp_path)
    assert {finding.verdict for finding in said.values()} == {"fine", "skipped"}
    assert said["losses"].verdict == "fine"
    assert said["registers"].says.startswith("ADS1292R (ID 73)")
    assert said["DRDY rate"].figures["rate_hz"] == pytest.approx(250.0)
    assert said["mains"].figures["hum_50_hz_mv"] == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize(
    ("fault", "check", "verdict", "words"),
    [
        ("no-chip-00", "registers", "wrong", "Every bit read from the chip is 0"),
        ("no-chip-ff", "registers", "wrong", "DOUT is connected to MISO"),
        ("wrong-id=0x52", "registers", "wrong", "ADS1291"),
        ("sdatac-swallowed=1000", "registers", "wrong", "did not take SDATAC"),
        ("zero-frames=1", "registers", "wrong", "Frames are all zeros"),
        ("zero-frames", "losses", "note", "more than one try"),
        ("byte-slip", "registers", "wrong", "byte slip"),
        ("bit-slip@3", "samples", "wrong", "bit slip"),
        ("drdy-stuck-high", "registers", "wrong", "check START and PWDN/RESET, CLKSEL"),
        ("drdy-stuck-low@3", "samples", "wrong", "check board.drdy_pin"),
        ("missing-edges", "losses", "wrong", r"\d+ of \d+ samples were lost"),
        ("duplicate-edges", "losses", "note", "DRDY rings"),
        ("lgpio-hold", "DRDY jitter", "note", "board.drdy_backend: gpiod"),
        ("reader-pause", "losses", "wrong", "came too late"),
        ("brown-out@3", "losses", "wrong", "check the supply for dips"),
        ("clock-error", "DRDY rate", "note", "246.305 Hz, -14778 ppm .* within 1.5 %"),
        ("clock-error=30000", "DRDY rate", "wrong", "check CLKSEL"),
        ("bad-trim", "registers", "wrong", "reads as 80"),
        ("mains=60", "mains", "wrong", "set front_end.mains_hz: 60, now it is 50"),
        ("mains=50", "mains", "note", "connect RL"),
        ("electrode-off", "electrodes", "note", "off for 100%"),
        ("register-flip", "registers", "wrong", "Register CH2SET holds 10"),
        ("register-flip=0x0510@3", "losses", "wrong", "Register CH2SET holds 10"),
        ("spi-error", "registers", "wrong", "An SPI transfer .* failed"),
        ("spi-error=0.01@3", "losses", "wrong", "SPI transfers failed: dmesg"),
        ("ads1292", "registers", "wrong", "set chip.respiration: false"),
        ("slow-reference=300", "registers", "wrong", "10 uF capacitor at VREFP"),
    ],
)
def test_a_fault_is_told_where_it_shows(
    tmp_path: Path, fault: str, check: str, verdict: str, words: str
) -> None:
    said = look(tmp_path, f'simulated.chip.faults=["{fault}"]')[check]
    assert (said.verdict, bool(re.search(words, said.says))) == (verdict, True), said


def test_a_noisy_supply_fails_its_self_test_and_the_walk_goes_on(tmp_path: Path) -> None:
    steps = (*STEPS[:6], board.self_test, *STEPS[6:])
    said = found(simulated(tmp_path, "simulated.chip.noise=5"), steps)
    assert said["noise, inputs shorted"].verdict == "wrong"
    assert "check the supply's ripple" in said["noise, inputs shorted"].says
    assert said["test signal, amplitude"].verdict == said["losses"].verdict == "fine"


def test_without_a_body_nothing_is_said_of_the_mains(tmp_path: Path) -> None:
    said = look(tmp_path, "simulated.play=[{pause: 60}]")
    assert (said["electrodes"].verdict, said["mains"].verdict) == ("note", "skipped")


@pytest.fixture
def flagged_every(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have a lead-off bit set in one of so many frames of the simulated chip."""

    def flag(every: int) -> None:
        source = open_source(simulated(tmp_path).load().settings, paced=False)
        taken = count()
        transfer = source.board.spi.transfer

        def flagged(data: bytes) -> bytes:
            answer = bytearray(transfer(data))
            if data[0] == Opcode.RDATA and next(taken) % every == 0:
                answer[1] |= IN2P_OFF >> 16
            return bytes(answer)

        spi = Mock(transfer=flagged, close=source.board.spi.close)
        wired = replace(source, board=replace(source.board, spi=spi))
        monkeypatch.setattr(board, "open_source", lambda *_, paced: wired)

    return flag


def test_comparators_that_an_ecg_contradicts_are_to_be_switched_off(
    tmp_path: Path, flagged_every: Callable[[int], None]
) -> None:
    flagged_every(1)
    said = look(tmp_path)
    assert (said["electrodes"].verdict, said["mains"].verdict) == ("wrong", "skipped")
    words = "off for 100% .* comparators cannot be right.*set chip.lead_off: false"
    assert re.search(words, said["electrodes"].says)


def test_electrodes_that_come_off_meanwhile_are_no_bad_comparators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "SECONDS", 10)  # long enough for beats before and after
    said = look(tmp_path, 'simulated.chip.faults=["electrode-off@6+3"]')["electrodes"]
    assert (said.verdict, said.says.split(":")[0]) == ("note", "off for 30% of the time")


def test_lead_off_bits_that_flicker_are_a_bad_contact_and_no_bad_comparators(
    tmp_path: Path, flagged_every: Callable[[int], None]
) -> None:
    flagged_every(250)
    said = look(tmp_path)
    assert (said["electrodes"].verdict, said["mains"].verdict) == ("note", "fine")
    assert said["electrodes"].says.startswith("on, but said to be off for a moment 5 times")


def test_without_lead_off_detection_nothing_is_said_of_the_electrodes(tmp_path: Path) -> None:
    said = look(tmp_path, "chip.lead_off=false")["electrodes"]
    assert (said.verdict, "set chip.lead_off: true" in said.says) == ("note", True)


def test_without_hum_the_grid_is_not_guessed(tmp_path: Path) -> None:
    said = look(tmp_path, "simulated.noise.mains_mv=0", "front_end.mains_hz=60")["mains"]
    assert (said.verdict, "too little to tell" in said.says) == ("fine", True)


def test_a_real_board_is_read_as_the_service_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    asked = []
    simulator = open_source(simulated(tmp_path).load().settings, paced=False)
    real = replace(simulator, board=replace(simulator.board, simulated=False))
    monkeypatch.setattr(board, "open_source", lambda *_, paced: real)
    monkeypatch.setattr(samples, "ask_for_realtime", lambda: asked.append("SCHED_FIFO"))
    monkeypatch.setattr(samples, "stop_collecting_garbage", lambda: asked.append("no garbage"))
    raspberry_pi(tmp_path)
    visit = visit_to(tmp_path, f"publish.addresses=['ipc://{tmp_path}/messages.ipc']")
    said = found(visit, CHECKS)
    assert said["board"].says.endswith("DRDY 25, START 22, PWDN/RESET 24")
    assert not [about for about, finding in said.items() if finding.verdict in ("wrong", "skipped")]
    assert asked == ["no garbage", "SCHED_FIFO"]


def test_jitter_is_what_is_off_the_line_through_all_edges() -> None:
    jitter_s = np.array([1e-6] * 98 + [1e-3, -2e-3])
    timing = signal.Timing(jitter_s, np.full(100, 1e-4))
    figures = signal._percentiles(timing)
    assert figures["jitter_p50_us"] == pytest.approx(1.0)
    assert figures["jitter_max_us"] == pytest.approx(2000.0)
    assert figures["delay_p99_us"] == pytest.approx(100.0)


@pytest.mark.parametrize(("policy", "advised"), [(os.SCHED_OTHER, True), (os.SCHED_FIFO, False)])
def test_sched_fifo_is_advised_only_to_whoever_has_it_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: int, advised: bool
) -> None:
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: policy)
    visit = simulated(tmp_path)
    visit.samples = Mock(timing=signal.Timing(np.full(9, 1e-6), np.full(9, 3e-3)), nominal_hz=250.0)
    said = signal.jitter.look(visit)
    assert isinstance(said, Finding)
    assert said.verdict == "wrong"
    assert ("SCHED_FIFO" in said.says) == advised
