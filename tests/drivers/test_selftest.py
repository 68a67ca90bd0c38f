"""Self tests against the simulated chip, and their arithmetic against closed forms."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from drivers.ads1292r import Ads1292r, ChipOptions
from drivers.chip_setup import ChipSetup
from drivers.frame import Frame
from drivers.registers import Register
from drivers.selftest import run_self_tests, square_amplitude, square_frequency_hz
from drivers.simulator import SimulatorOptions, open_simulated_board
from tests.drivers.test_ads1292r import Sine
from tests.drivers.test_chip_setup import setup


def self_test(options: ChipOptions, **simulator: float) -> dict[str, tuple[bool, float]]:
    board = open_simulated_board(Sine(), SimulatorOptions(**simulator), paced=False)  # type: ignore[arg-type]
    chip = Ads1292r(board, options)
    chip.power_up()
    return {line.name: (line.passed, line.measured) for line in chip.self_test()}


@pytest.mark.parametrize(
    ("gain", "counts"),
    [(1, 3495), (2, 6990), (3, 10486), (4, 13981), (6, 20972), (8, 27962), (12, 41943)],
)
def test_the_test_signal_has_the_datasheets_amplitude(gain: int, counts: int) -> None:
    passed, measured = self_test(ChipOptions(gain=gain))["test signal, amplitude"]
    assert passed
    assert measured == pytest.approx(counts, rel=0.001)


def test_a_sound_chip_passes_everything() -> None:
    lines = self_test(ChipOptions())
    assert all(passed for passed, _ in lines.values())
    assert lines["digital supply"][1] == pytest.approx(3.3, abs=0.01)
    assert lines["temperature"][1] == pytest.approx(25.0, abs=0.1)
    assert 3.0 < lines["noise, inputs shorted"][1] < 7.0
    assert lines["test signal, frequency"][1] == pytest.approx(1.0, abs=0.001)


def test_a_noisy_supply_fails_the_noise_test_alone() -> None:
    lines = self_test(ChipOptions(), noise=5.0)
    assert [name for name, (passed, _) in lines.items() if not passed] == ["noise, inputs shorted"]


def test_the_self_test_leaves_the_chip_as_it_was() -> None:
    board = open_simulated_board(Sine(), SimulatorOptions(), paced=False)
    chip = Ads1292r(board)
    chip.power_up()
    chip.self_test()
    assert chip.diagnose() is None
    with chip.stream() as stream:
        assert abs(next(stream).counts[1]) < 21_000


class Dead:
    """A chip that converts nothing but zeros."""

    setup: ChipSetup = setup(ChipOptions())

    def measure(self, changes: Mapping[Register, int], count: int) -> list[Frame]:
        return [Frame(n, n / 250, 0xC00000, (0, 0)) for n in range(count)]


def test_a_chip_that_measures_nothing_fails_every_test() -> None:
    lines = run_self_tests(Dead())
    assert not any(line.passed for line in lines)
    assert all(line.advice for line in lines)


class Supplied(Dead):
    """A chip that measures two supplies, in volts."""

    def __init__(self, analog_v: float, digital_v: float) -> None:
        lsb_v = 2.42 / 8_388_607
        self._counts = (round(analog_v / 2 / lsb_v), round(digital_v / 4 / lsb_v))

    def measure(self, changes: Mapping[Register, int], count: int) -> list[Frame]:
        return [Frame(n, n / 250, 0xC00000, self._counts) for n in range(count)]


@pytest.mark.parametrize(
    ("analog_v", "digital_v", "passed"),
    [
        (2.75, 1.75, [True, True]),  # the datasheet's range: 2.7 to 5.25 V, 1.7 to 3.6 V
        (2.65, 1.65, [False, False]),
        (4.7, 3.55, [True, True]),
        (5.3, 3.65, [False, False]),
    ],
)
def test_the_supplies_have_the_datasheets_range(
    analog_v: float, digital_v: float, passed: list[bool]
) -> None:
    lines = run_self_tests(Supplied(analog_v, digital_v))
    assert [line.passed for line in lines[:2]] == passed
    assert [line.measured for line in lines[:2]] == pytest.approx([analog_v, digital_v], rel=1e-4)


def square(period: int, amplitude: int) -> list[Frame]:
    return [
        Frame(n, n / 250, 0xC00000, (0, amplitude if n % period < period // 2 else -amplitude))
        for n in range(1000)
    ]


@pytest.mark.parametrize("period", [125, 240, 250, 260])
def test_a_square_wave_is_measured(period: int) -> None:
    frames = square(period, 12_345)
    assert square_amplitude([frame.counts[1] for frame in frames]) == 12_345
    assert square_frequency_hz(frames, 250.0) == pytest.approx(250 / period)
