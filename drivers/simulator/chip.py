"""A simulated ADS1292R: what each SPI transfer does to it, and what it answers, bit for bit.

     opcode     bits                  does
     WAKEUP     0000 0010             leaves standby
     STANDBY    0000 0100             sleeps; hears nothing but WAKEUP
     RESET      0000 0110             registers to reset values, back to RDATAC
     START      0000 1000             converts, unless it does already
     STOP       0000 1010             completes the conversion in progress
     RDATAC     0001 0000             every frame clocks out the newest sample
     SDATAC     0001 0001             ends that; registers can be reached
     RDATA      0001 0010             the sample of now follows
     OFFSETCAL  0001 1010             needs CALIB_ON
     RREG       001r rrrr 000n nnnn   n + 1 registers from r follow
     WREG       010r rrrr 000n nnnn   n + 1 values follow

Its time is virtual: :meth:`SimulatedAds1292r.advance` and every transferred bit move it on.
What the datasheet forbids is done as the chip would do it and noted in ``violations``.
Source: ADS1292R datasheet SBAS502, "SPI Interface" and "SPI Command Definitions".
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from drivers.opcodes import Opcode
from drivers.registers import Register
from drivers.simulator.converter import TCLK_S, TMOD_S, UPDATE_S, Converter
from drivers.simulator.faults import FaultBox
from drivers.simulator.inputs import Inputs
from drivers.simulator.options import SimulatorOptions
from drivers.simulator.register_file import RegisterFile
from drivers.waveforms import Electrodes

POWER_ON_S = 4096 * TMOD_S
DECODE_S = 4 * TCLK_S
RESET_S = 18 * TCLK_S
RESET_PULSE_S = TMOD_S
POWER_DOWN_S = 512 * TMOD_S
WAKE_S = 0.010
#: CS must stay low so long after the last bit, or the last byte is lost.
CS_HOLD_S = 3 * TCLK_S
#: Above this clock the chip loses the second byte of a register command.
REGISTER_SPI_HZ = 1_024_000

_FRAME_BYTES = 9


class SimulatedAds1292r:
    """The chip, from its pins inwards.

    Args:
        electrodes: what is at its inputs.
        options: noise, clock error and faults.
        on_ready: called with the time of each falling edge of DRDY.

    Attributes:
        time_s: seconds since power was applied.
        violations: one sentence for each thing done to it that the datasheet forbids.
    """

    def __init__(
        self,
        electrodes: Electrodes,
        options: SimulatorOptions,
        on_ready: Callable[[float], None] = lambda time_s: None,
    ) -> None:
        faults = FaultBox(options.faults, options.seed)
        self.time_s = 0.0
        self.violations: deque[str] = deque(maxlen=1000)
        self.registers = RegisterFile(self.violations.append)
        self._set_up_faults(faults)
        inputs = Inputs(electrodes, options.noise, faults, options.seed)
        self.converter = Converter(inputs, self._clock_error(faults, options), on_ready, faults)
        self._start_pin = False
        self._started = False
        self._standby = False
        self._busy_until_s = 0.0
        self._reset_low_since_s: float | None = None
        self._reset(busy_s=POWER_ON_S)
        self._begin_chip_select()

    def _set_up_faults(self, faults: FaultBox) -> None:
        identity = faults.get("wrong-id") or faults.get("bad-trim") or faults.get("ads1292")
        if identity:
            self.registers.id = int(identity.value)
        swallowed = faults.get("sdatac-swallowed")
        self._swallow_sdatac = int(swallowed.value) if swallowed else 0
        self._zero_frames = faults.get("zero-frames")
        self._slips = [
            (fault, bits)
            for name, bits in (("byte-slip", 8), ("bit-slip", 1))
            if (fault := faults.get(name))
        ]
        brown_out, flip = faults.get("brown-out"), faults.get("register-flip")
        self._flip = divmod(int(flip.value), 0x100) if flip else None
        self._flip_at_write = bool(flip and flip.start_s is None)
        self._events: list[tuple[float, Callable[[], None]]] = []
        if brown_out:
            self._events.append((brown_out.start_s or 0.0, self._reset))
        if flip and flip.start_s is not None:
            self._events.append((flip.start_s, self._flip_register))
        self._events.sort(key=lambda event: event[0])

    @staticmethod
    def _clock_error(faults: FaultBox, options: SimulatorOptions) -> float:
        error_ppm = options.clock_error_ppm
        if clock := faults.get("clock-error"):
            error_ppm += clock.value
        if faults.get("bad-trim"):
            error_ppm += 30_000
        return error_ppm / 1e6

    # Time

    def advance(self, time_s: float) -> None:
        """Let the chip live until ``time_s``: conversions complete and DRDY falls."""
        while (next_s := self.next_s) <= time_s:
            self.time_s = next_s
            if next_s == self.converter.next_s:
                self.registers.set_electrodes_off(self.converter.convert())
            else:
                self._events.pop(0)[1]()
        self.time_s = max(self.time_s, time_s)

    @property
    def next_s(self) -> float:
        """When something will happen in the chip by itself; infinite if never."""
        if self._events:
            return min(self.converter.next_s, self._events[0][0])
        return self.converter.next_s

    # Pins

    @property
    def ready_is_low(self) -> bool:
        """Return whether DRDY is low."""
        return self.converter.ready_is_low(self.time_s)

    def set_start(self, high: bool) -> None:
        """Drive the START pin."""
        self._start_pin = high
        self._follow_start()

    def set_reset(self, high: bool) -> None:
        """Drive the PWDN/RESET pin: a short low pulse resets, a long one powers down."""
        if not high and self._reset_low_since_s is None:
            # Low at power-on is low from before.
            self._reset_low_since_s = self.time_s or -math.inf
            self.converter.halt()
        elif high and self._reset_low_since_s is not None:
            low_s = self.time_s - self._reset_low_since_s
            self._reset_low_since_s = None
            if low_s < RESET_PULSE_S:
                self.violations.append(f"RESET low for {low_s * 1e6:.1f} us, 7.8 us needed")
            self._reset(busy_s=WAKE_S if low_s >= POWER_DOWN_S else RESET_S)

    # Serial interface

    def transfer(self, data: bytes, sclk_hz: float, hold_s: float = 10e-6) -> bytes:
        """Clock ``data`` in and as many bytes out, in one chip-select frame.

        Args:
            data: what the chip reads on DIN.
            sclk_hz: the clock; the transfer takes 8 bits a byte of it.
            hold_s: from the last bit to the release of CS.
        """
        if self._reset_low_since_s is not None:
            self.advance(self.time_s + len(data) * 8 / sclk_hz + hold_s)
            return bytes(len(data))
        self._begin_chip_select()
        self.converter.unread = False
        byte_s, last = 8 / sclk_hz, len(data) - 1
        quiet = self.next_s - UPDATE_S > self.time_s + len(data) * byte_s
        spoken = len(data.rstrip(b"\0"))
        answer = bytearray()
        for index, byte in enumerate(data):
            if quiet and index >= spoken and not self._command:
                answer += self._clock_out(len(data) - index)
                self.time_s += (len(data) - index) * byte_s
                break
            begin_s = self.time_s
            answer.append(self._shift_out(begin_s + byte_s))
            if self.next_s <= begin_s + byte_s:
                self._advance_while_reading(begin_s + byte_s)
            else:
                self.time_s = begin_s + byte_s
            if index < last or hold_s >= CS_HOLD_S:
                self._shift_in(byte, begin_s, sclk_hz)
            else:
                self.violations.append(f"CS released {hold_s * 1e6:.1f} us after the last bit")
        self.advance(self.time_s + hold_s)
        return bytes(answer)

    def _begin_chip_select(self) -> None:
        """Begin a new command, as the fall of CS does, and drop one that was not complete."""
        self._command = 0  # RREG or WREG, until its last operand has come
        self._operands = 0  # how many registers it still has, once that is known
        self._address = 0
        self._deaf = False
        self._reply = self._frame() if self._continuous else b""
        self._replied = 0

    def _advance_while_reading(self, time_s: float) -> None:
        """Complete a conversion in mid-transfer: RDATAC goes on with the new sample."""
        self.advance(time_s)
        self.converter.unread = False  # the next SCLK edge raises DRDY again
        if self._continuous:
            self._reply = self._frame()

    def _clock_out(self, count: int) -> bytes:
        """Answer ``count`` zeros that mean nothing, during which nothing happens."""
        if not self._reply:
            return bytes(count)
        begin, length = self._replied, len(self._reply)
        self._replied += count
        return (self._reply * (self._replied // length + 1))[begin : self._replied]

    def _shift_out(self, end_s: float) -> int:
        if not self._reply:
            return 0
        byte = self._reply[self._replied % len(self._reply)]
        self._replied += 1
        if self._continuous and self.converter.next_s - UPDATE_S < end_s:
            return byte ^ 0xA5  # torn by the update of the output register
        return byte

    def _frame(self) -> bytes:
        """Return the output register as it leaves the chip."""
        frame = self.converter.output
        if self._frames_are_zero:
            return bytes(_FRAME_BYTES)
        for slip, bits in self._slips:
            if slip.active(self.time_s):
                late_bits = bits * int(slip.value)
                late = ((1 << late_bits) - 1) << 72 | int.from_bytes(frame, "big")
                frame = (late >> late_bits).to_bytes(_FRAME_BYTES, "big")
        return frame

    def _shift_in(self, byte: int, begin_s: float, sclk_hz: float) -> None:
        if self._deaf:
            return
        if self._operands:
            self._take_operand(byte)
        elif self._command:
            self._take_count(byte, sclk_hz)
        elif byte:
            self._decode(byte, begin_s)

    # Register commands

    def _take_count(self, byte: int, sclk_hz: float) -> None:
        if sclk_hz > REGISTER_SPI_HZ:
            self.violations.append(f"register command at {sclk_hz / 1e6:.3f} MHz, 1.024 allowed")
            self._deaf = True
            return
        self._operands = (byte & 0x1F) + 1
        if self._continuous:
            self.violations.append("register command in RDATAC mode")
        elif self._command == Opcode.RREG:
            addresses = range(self._address, self._address + self._operands)
            self._reply = bytes(self.registers[address] for address in addresses)
            self._replied = 0

    def _take_operand(self, byte: int) -> None:
        if self._command == Opcode.WREG and not self._continuous:
            self._write(self._address, byte)
            self._address += 1
        self._operands -= 1
        if self._operands == 0:
            if self._command == Opcode.RREG and not self._continuous:
                self._reply = b""
            self._command = 0

    def _write(self, address: int, value: int) -> None:
        self.registers.write(address, value)
        if self._flip and self._flip_at_write and self._flip[0] == address:
            self._flip_register()
        self._follow_register(address)

    def _follow_register(self, address: int) -> None:
        self.converter.set(self.registers, self.time_s)
        if address in (Register.CONFIG1, Register.RESP1, Register.RESP2) and self.converter.running:
            self.converter.start(self.time_s)

    def _flip_register(self) -> None:
        """Change bits behind the driver's back, once."""
        if self._flip:
            address, bits = self._flip
            self._flip = None
            self.registers.flip(address, bits)
            self._follow_register(address)

    # Commands of one byte

    def _decode(self, opcode: int, begin_s: float) -> None:
        if begin_s < self._busy_until_s:
            self.violations.append(f"opcode {opcode:02X} before the last one was done")
        elif self._standby and opcode != Opcode.WAKEUP:
            self.violations.append(f"opcode {opcode:02X} in standby")
        elif opcode in _COMMANDS:
            _COMMANDS[opcode](self)
        elif opcode & 0xE0 in (Opcode.RREG, Opcode.WREG):
            self._command, self._address = opcode & 0xE0, opcode & 0x1F
        else:
            self.violations.append(f"opcode {opcode:02X} is not known")

    def _wake_up(self) -> None:
        self._busy_until_s = self.time_s + DECODE_S
        if self._standby:
            self._standby = False
            self._follow_start(not_before_s=self.time_s + WAKE_S)

    def _stand_by(self) -> None:
        self._standby = True
        self.converter.halt()

    def _reset(self, busy_s: float = RESET_S) -> None:
        """Return to the state after power-up, with the pins as they are."""
        self.registers.reset()
        self._continuous = True
        self._standby = False
        self._started = False
        self._busy_until_s = max(self._busy_until_s, self.time_s + busy_s)
        self._frames_are_zero = bool(self._zero_frames and self._zero_frames.strikes(self.time_s))
        self.converter.clear()
        self.converter.set(self.registers, self.time_s)
        self._follow_start(not_before_s=self._busy_until_s)

    def _start(self) -> None:
        if self._start_pin:
            self.violations.append("START opcode while the START pin is high")
        self._started = True
        self._follow_start()

    def _stop(self) -> None:
        if self._start_pin:
            self.violations.append("STOP opcode while the START pin is high")
        self._started = False
        self._follow_start()

    def _follow_start(self, not_before_s: float = 0.0) -> None:
        """Convert while the pin or the opcode says so."""
        if self._standby or self._reset_low_since_s is not None:
            return
        if not (self._start_pin or self._started):
            self.converter.stop()
        elif not self.converter.running:
            self.converter.start(self.time_s, not_before_s)

    def _read_continuously(self) -> None:
        self._busy_until_s = self.time_s + DECODE_S
        if not self._continuous and not self._in_keep_out("RDATAC"):
            self._continuous = True
            self._reply, self._replied = self._frame(), 0

    def _stop_reading_continuously(self) -> None:
        self._busy_until_s = self.time_s + DECODE_S
        if self._swallow_sdatac:
            self._swallow_sdatac -= 1
        elif not self._in_keep_out("SDATAC"):
            self._continuous = False
            self._reply = b""

    def _in_keep_out(self, opcode: str) -> bool:
        """Tell whether the chip misses the opcode because DRDY is about to fall or has just."""
        before, after = self.converter.next_s - self.time_s, self.time_s - self.converter.last_s
        missed = min(before, after) < UPDATE_S
        if missed:
            self.violations.append(f"{opcode} within 4 tCLK of DRDY")
        return missed

    def _read(self) -> None:
        if not self._continuous:
            self._reply, self._replied = self._frame(), 0

    def _calibrate(self) -> None:
        """Do nothing that shows: the simulated chip has no offset to take away."""
        if not self.registers[Register.RESP2] & 0x80:
            self.violations.append("OFFSETCAL without CALIB_ON")


_COMMANDS: dict[int, Callable[[SimulatedAds1292r], None]] = {
    Opcode.WAKEUP: SimulatedAds1292r._wake_up,
    Opcode.STANDBY: SimulatedAds1292r._stand_by,
    Opcode.RESET: SimulatedAds1292r._reset,
    Opcode.START: SimulatedAds1292r._start,
    Opcode.STOP: SimulatedAds1292r._stop,
    Opcode.RDATAC: SimulatedAds1292r._read_continuously,
    Opcode.SDATAC: SimulatedAds1292r._stop_reading_continuously,
    Opcode.RDATA: SimulatedAds1292r._read,
    Opcode.OFFSETCAL: SimulatedAds1292r._calibrate,
}
