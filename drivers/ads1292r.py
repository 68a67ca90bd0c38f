"""The ADS1292R: power-up with every wait, a stream of frames, self tests.

    power_up     supplies 1 s -> reset pulse -> SDATAC -> all registers read, compared with their
                 reset values -> CONFIG2, reference 150 ms -> the other registers, each read back
                 -> reference measured until it stands still
    stream       [RDATAC while stopped] -> START -> frames -> stop, SDATAC
    self_test    supply, temperature, shorted input, test square wave

Source: datasheet SBAS502, "Initial Flow at Power-Up" and "Power-Up Sequencing".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from drivers import registers as reg
from drivers.bus import Board
from drivers.chip_setup import ChipOptions, ChipSetup, planned_registers, setup_from
from drivers.command_port import CommandPort, mismatch
from drivers.diagnosis import check_part, check_reset_values, chip_was_reset, explain_id, is_reset
from drivers.errors import BusError, DriverError, ReferenceNotSettled, StreamError
from drivers.frame import FULL_SCALE_COUNTS, Frame
from drivers.opcodes import Opcode
from drivers.registers import Register
from drivers.selftest import SelfTestLine, run_self_tests
from drivers.stream import MAX_REINITIALISATIONS, FrameStream

#: Supplies, oscillator and VCAP1 (0.5 s to 1 %) after power-on.
POWER_ON_S = 1.0
#: Longer than 7.8 us; a pulse that a busy machine stretches over 2 ms powers the chip down ...
RESET_PULSE_S = 0.0005
#: ... from which it needs 10 ms to wake, so that much is always waited.
AFTER_RESET_S = 0.020
#: 100 ms typical for 10 uF at VREFP.
REFERENCE_S = 0.150
#: The reference has settled when the supply, measured against it, changes by no more in 100 ms.
REFERENCE_STEP_S = 0.100
REFERENCE_CHANGE = 0.002
REFERENCE_PATIENCE_S = 3.0
#: SDATAC is lost within 4 tCLK of DRDY, and so may be the first one or two.
SDATAC_ATTEMPTS = 3


class Ads1292r:
    """The chip on a board, a Raspberry Pi's or the simulator's."""

    def __init__(self, board: Board, options: ChipOptions | None = None) -> None:
        self._board = board
        self._options = options or ChipOptions()
        self._port = CommandPort(board.spi, board.clock)
        self._written: dict[Register, int] = {}
        self._setup: ChipSetup | None = None
        self._repeated_bring_ups = 0

    @property
    def setup(self) -> ChipSetup:
        """What the chip is by its registers; to be asked after :meth:`power_up`."""
        if self._setup is None:
            raise RuntimeError("power_up comes before everything else")
        return self._setup

    def power_up(self) -> ChipSetup:
        """Bring the chip from power-on to ready, and return what its registers say it is.

        A chip that answers but does not convert, and a transfer that fails, get three more tries.

        Raises:
            BringUpError: the class says what is wrong, its message what to check on the board.
            StreamError: the chip answers but does not convert.
            BusError: a transfer failed.
        """
        self._drive_start(False)
        self._pulse_reset()
        self._board.clock.sleep(POWER_ON_S)
        for _ in range(MAX_REINITIALISATIONS):
            with suppress(StreamError, BusError):
                return self._bring_up()
            self._repeated_bring_ups += 1
        return self._bring_up()

    @contextmanager
    def stream(self) -> Iterator[FrameStream]:
        """Convert, and give the stream of frames; registers cannot be reached meanwhile."""
        continuous = self._options.read_mode == "rdatac"
        self._start(continuous=continuous)
        try:
            yield FrameStream(
                self._board,
                self,
                self.setup,
                continuous=continuous,
                reinitialisations=self._repeated_bring_ups,
            )
        finally:
            # The bus may be why the stream ended; failing again would hide the first error.
            with suppress(BusError):
                self._stop()

    def self_test(self) -> tuple[SelfTestLine, ...]:
        """Measure supply, temperature, noise and the internal test signal (about ten seconds).

        Raises:
            DriverError: the chip stopped converting.
        """
        return run_self_tests(self)

    def measure(
        self, changes: Mapping[Register, int], count: int, settle_s: float = 0.1
    ) -> list[Frame]:
        """Return ``count`` frames taken with some registers changed, which are then put back.

        Raises:
            DriverError: the chip stopped converting, or a register could not be written.
        """
        before = {register: self._written[register] for register in changes}
        try:
            self._write(changes)
            self._start(continuous=False)
            stream = FrameStream(
                self._board,
                self,
                self.setup,
                continuous=False,
                settle_s=settle_s,
                max_reinitialisations=0,
            )
            frames = [next(stream) for _ in range(count)]
        except BaseException:
            # What broke may break this too; failing again would hide the first error.
            with suppress(DriverError):
                self._stop()
            with suppress(DriverError):
                self._write(before)
            raise
        self._stop()
        self._write(before)
        return frames

    # What a stream asks for when frames fail

    def restart(self) -> ChipSetup:
        """Reset, set up and start the chip again.

        Raises:
            DriverError: it did not come up.
        """
        setup = self._bring_up()
        self._start(continuous=self._options.read_mode == "rdatac")
        return setup

    def diagnose(self) -> DriverError | None:
        """Look at the registers while the chip converts; return what is wrong with them."""
        try:
            registers = self._dump()
        except DriverError as error:
            return error
        if is_reset(registers):
            return chip_was_reset()
        return self._difference(registers)

    # Bring-up

    def _bring_up(self) -> ChipSetup:
        self._reset()
        registers = self._dump()
        check_part(registers[Register.ID], respiration=self._options.respiration)
        check_reset_values(registers)
        self._written = {}
        self._configure(reg.PARTS[registers[Register.ID]])
        self._await_reference()
        return self.setup

    def _reset(self) -> None:
        self._drive_start(False)
        self._pulse_reset()
        if self._board.reset is None:
            self._port.send(Opcode.SDATAC)
            self._port.send(Opcode.RESET)
        self._board.clock.sleep(AFTER_RESET_S)

    def _pulse_reset(self) -> None:
        if self._board.reset is not None:
            self._board.reset.set(False)
            self._board.clock.sleep(RESET_PULSE_S)
            self._board.reset.set(True)

    def _dump(self) -> tuple[int, ...]:
        """Leave RDATAC mode and return all registers, the first of which is an ID of the family."""
        answers = []
        for _ in range(SDATAC_ATTEMPTS):
            self._port.send(Opcode.SDATAC)
            answer = self._port.dump()
            if answer[2] in reg.PARTS:
                return tuple(answer[2:])
            answers.append(answer)
        raise explain_id(answers)

    def _configure(self, part: str) -> None:
        planned = planned_registers(self._options, part)
        for register, value in planned.items():
            self._write({register: value})
            if register == Register.CONFIG2:
                self._board.clock.sleep(REFERENCE_S)
        registers = self._port.read_all()
        if (difference := self._difference(registers)) is not None:
            raise difference
        self._setup = setup_from(registers, self._options, simulated=self._board.simulated)

    def _await_reference(self) -> None:
        """Measure the digital supply against the reference until it no longer changes.

        Channel 2 sees a quarter of DVDD, at gain 1 well within either reference.
        """
        rate_hz = self.setup.rate_hz
        deadline_s = self._board.clock.now() + REFERENCE_PATIENCE_S
        before = 0.0
        while self._board.clock.now() < deadline_s:
            frames = self.measure(
                {Register.CH2SET: reg.GAIN_CODES[1] << reg.GAIN_SHIFT | reg.Mux.SUPPLY},
                count=round(REFERENCE_STEP_S * rate_hz),
                settle_s=4 / rate_hz,
            )
            mean = sum(frame.counts[1] for frame in frames) / len(frames)
            saturated = mean >= FULL_SCALE_COUNTS
            if not saturated and abs(mean - before) <= REFERENCE_CHANGE * abs(mean):
                return
            before = mean
        raise ReferenceNotSettled(
            f"The reference voltage still drifts after {REFERENCE_PATIENCE_S:.0f} s: check the "
            "10 uF capacitor at VREFP, and the analog supply."
        )

    def _write(self, values: Mapping[Register, int]) -> None:
        for register, value in values.items():
            self._written[register] = reg.legal(register, value)
            self._port.write(register, self._written[register])

    def _difference(self, registers: tuple[int, ...]) -> DriverError | None:
        """Return the error for the first register that does not hold what was written to it."""
        for register, value in self._written.items():
            if (registers[register] ^ value) & reg.STABLE_BITS[register]:
                return mismatch(register, value, registers[register])
        return None

    # Converting

    def _start(self, *, continuous: bool) -> None:
        """Start conversions; RDATAC goes first, while no DRDY can collide with it."""
        if continuous:
            self._port.send(Opcode.RDATAC)
        self._board.ready.wait(0.0)  # drops edges of an earlier run
        self._drive_start(True)
        if self._board.start is None:
            self._port.send(Opcode.START)

    def _stop(self) -> None:
        """Stop conversions and wait for the one in progress."""
        self._port.send(Opcode.SDATAC)
        self._drive_start(False)
        if self._board.start is None:
            self._port.send(Opcode.STOP)
        self._board.clock.sleep(2 / self.setup.rate_hz)
        self._port.send(Opcode.SDATAC)  # the first may have met the moment of DRDY

    def _drive_start(self, high: bool) -> None:
        if self._board.start is not None:
            self._board.start.set(high)
