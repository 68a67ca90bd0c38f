"""Frames, one for each falling edge of DRDY, with every loss counted and every recovery bounded.

                    edge in time ---> read ---> fixed bits right ---> numbered Frame
                      |                 |              |
    no edge for 3 periods        after the deadline    5 wrong in a row
      |                                 |              |
    DRDY low: read once, listen    dropped, counted    diagnose, re-initialise, go on
    DRDY high: diagnose, re-initialise                 (3 times, then the named error)

The chip has no queue: the newest sample overwrites the one before. A reader that comes late finds
the newest sample, so it answers the newest edge only and counts the older ones as lost.
"""

from __future__ import annotations

from typing import Protocol

from drivers import registers as reg
from drivers.bus import Board, Edge
from drivers.chip_setup import ChipSetup
from drivers.counters import Counters, against_late_reads, conditions_of
from drivers.diagnosis import explain_frames
from drivers.errors import (
    BusError,
    Condition,
    DriverError,
    ReaderTooSlow,
    ReadyNeverFell,
    ReadyStuckLow,
    WrongSampleRate,
)
from drivers.frame import FRAME_BYTES, Frame, decode, frame_of, status_is_valid
from drivers.opcodes import Opcode
from drivers.sample_clock import SampleClock
from drivers.signal_monitor import SignalMonitor

#: Frames after a start that are read but not handed out, while the analog side settles.
SETTLE_S = 0.5
#: No sample is trusted that was still being read so shortly before the next: 4 tCLK and some.
GUARD_S = 20e-6
#: Periods without an edge before something is done about it.
SILENT_PERIODS = 3
#: Bad frames, failed transfers or fruitless watchdog reads in a row before re-initialisation.
FAULTS_IN_A_ROW = 5
#: Pauses before each re-initialisation, so that a disturbance of a second or two can pass ...
PAUSES_S = (0.0, 0.5, 1.0)
#: ... and how many there are before the stream gives up ...
MAX_REINITIALISATIONS = len(PAUSES_S)
#: ... and the seconds of good frames that make up for them.
REDEEMED_S = 60.0
#: How often the registers are compared with what was written, between two samples; not in RDATAC
#: mode, which would have to be left and entered again.
REGISTER_CHECK_S = 5.0
#: Seconds of nothing but late reads, or of frames off the beat, before that is an error.
HOPELESS_S = 1.0


class StreamingChip(Protocol):
    """What a stream asks of its chip when frames fail."""

    def restart(self) -> ChipSetup:
        """Reset, set up and start the chip again.

        Raises:
            DriverError: it did not come up.
        """

    def diagnose(self) -> DriverError | None:
        """Look at the registers while the chip converts; return what is wrong with them."""


class FrameStream:
    """Iterates over frames of a chip that is converting.

    A jump of ``Frame.index`` is lost samples. Iteration never ends by itself; it raises DriverError
    when recovery is exhausted. It blocks for a few sample periods, and for a second or two where
    the chip must be re-initialised.

    Args:
        board: the bus, DRDY and the clock.
        chip: whom to ask for diagnosis and a fresh start.
        setup: the chip's setup when it was started.
        continuous: True in RDATAC mode.
        settle_s: seconds of frames to withhold after each start.
        max_reinitialisations: how often the chip may be started again.
        reinitialisations: how often it already was before it came up.

    Attributes:
        setup: the chip's setup, renewed when it is re-initialised.
        last_fault: why it was last re-initialised; None if it never was.
    """

    def __init__(
        self,
        board: Board,
        chip: StreamingChip,
        setup: ChipSetup,
        *,
        continuous: bool,
        settle_s: float = SETTLE_S,
        max_reinitialisations: int = MAX_REINITIALISATIONS,
        reinitialisations: int = 0,
    ) -> None:
        self._board = board
        self._now = board.clock.now
        self._chip = chip
        self._continuous = continuous
        self._request = bytes(FRAME_BYTES) if continuous else bytes([Opcode.RDATA, *bytes(9)])
        self._settle_s = settle_s
        self._max_reinitialisations = self._reinitialisations_left = max_reinitialisations
        self._samples = SampleClock(setup.rate_hz)
        self._monitor = SignalMonitor(setup)
        self._frames = self._bad_frames = self._late_reads = 0
        self._off_beat_frames = 0
        self._watchdog_reads = self._bus_errors = 0
        self._reinitialisations = reinitialisations
        self._latency_max_s = 0.0
        self._transfer_s: float | None = None
        self._first_index = 0  # of the frames handed out
        self._last_index: int | None = None
        self._good_since = 0  # so many frames had been handed out when one was last bad
        self._heard_s = self._checked_s = 0.0
        self._settled_s: float | None = None
        self._bad_run: list[bytes] = []
        self._bus_error_run = self._low_run = self._late_run = 0
        self._off_beat_run = 0
        self.setup = setup
        self.last_fault: DriverError | None = None
        self._expect_first_edge()

    def __iter__(self) -> FrameStream:
        return self

    def __next__(self) -> Frame:
        """Return the next good frame.

        Raises:
            DriverError: the chip failed and bounded recovery did not bring it back.
        """
        while True:
            edge = self._newest_edge()
            if edge is None:
                self._watch()
                continue
            if self._samples.wrong_rate:
                self._recover(self._wrong_rate())
                continue
            frame = self._read(edge)
            if frame is not None and self._hand_out(frame):
                return frame

    @property
    def period_s(self) -> float:
        """The measured seconds between samples."""
        return self._samples.period_s

    @property
    def counters(self) -> Counters:
        """What has happened since streaming began."""
        return Counters(
            frames=self._frames,
            lost=self._lost,
            bad_frames=self._bad_frames,
            off_beat_frames=self._off_beat_frames,
            late_reads=self._late_reads,
            repeated_frames=self._monitor.repeated,
            duplicate_edges=self._samples.duplicate_edges,
            unseen_edges=self._samples.unseen_edges,
            watchdog_reads=self._watchdog_reads,
            bus_errors=self._bus_errors,
            reinitialisations=self._reinitialisations,
            saturated_frames=self._monitor.saturated,
            latency_max_s=self._latency_max_s,
        )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is not as it should be though frames keep coming."""
        ratio = self._samples.rate_ratio
        return self._monitor.conditions() + conditions_of(self.counters, ratio, self.setup)

    @property
    def _lost(self) -> int:
        """Samples between the first and the last frame that was handed out, but for the frames."""
        if self._last_index is None:
            return 0
        return self._last_index - self._first_index + 1 - self._frames

    def _expect_first_edge(self) -> None:
        """Forget what was counted in a row: the chip has been started."""
        now_s = self._now()
        self._heard_s = now_s + reg.SETTLING_S[round(self.setup.rate_hz)]
        self._settled_s = None
        self._checked_s = now_s
        self._bad_run = []
        self._bus_error_run = self._low_run = self._late_run = 0
        self._off_beat_run = 0
        self._good_since = self._frames

    # Edges

    def _newest_edge(self) -> Edge | None:
        """Return the newest edge of a new sample, None after three periods without any edge."""
        newest = None
        samples = self._samples
        for edge in self._board.ready.wait(SILENT_PERIODS * samples.period_s):
            if samples.admit(edge):
                newest = edge
        if newest is not None:
            self._heard_s = newest.time_s
            self._low_run = 0
        return newest

    def _watch(self) -> None:
        """Do something about DRDY if it has been silent for too long."""
        now_s = self._now()
        silent_s = now_s - self._heard_s
        if silent_s < SILENT_PERIODS * self.period_s:
            return
        if not self._board.ready.is_low():
            self._recover(
                ReadyNeverFell(
                    f"DRDY did not fall for {silent_s * 1000:.0f} ms: check START and PWDN/RESET, "
                    "CLKSEL (high for the internal clock), the supply, and board.drdy_pin."
                )
            )
        elif self._low_run < FAULTS_IN_A_ROW:
            self._low_run += 1
            self._watchdog_reads += 1
            self._heard_s = now_s
            self._transfer()  # raises DRDY, so that its next fall is an edge again
        else:
            self._recover(
                ReadyStuckLow(
                    "DRDY stays low though samples are read: check board.drdy_pin and the wire "
                    "for a short to ground."
                )
            )

    def _wrong_rate(self) -> WrongSampleRate:
        return WrongSampleRate(
            f"DRDY falls at {self._samples.rate_ratio:.2f} times the rate of "
            f"{self.setup.rate_hz:.0f} Hz: twice means that the chip has reset itself, half that "
            "every other edge is lost; otherwise check CLKSEL and the clock."
        )

    # Frames

    def _read(self, edge: Edge) -> Frame | None:
        """Read the sample of ``edge``; None if it cannot be trusted."""
        samples = self._samples
        time_s, _ = edge
        begin_s = self._now()
        deadline_s = time_s + samples.period_s - GUARD_S
        self._latency_max_s = max(self._latency_max_s, begin_s - time_s)
        if self._continuous and begin_s + (self._transfer_s or 0.0) > deadline_s:
            self._count_late_read()
            return None
        answer = self._transfer()
        if answer is None:
            return None
        end_s = self._now()
        # The shortest so far, since one that was interrupted must not forbid all later ones.
        if self._transfer_s is None or end_s - begin_s < self._transfer_s:
            self._transfer_s = end_s - begin_s
        if end_s > deadline_s:
            self._count_late_read()
            return None
        self._late_run = 0
        status, counts = decode(answer)
        if not status_is_valid(status):
            self._count_bad_frame(answer[-FRAME_BYTES:])
            return None
        if self._bad_run:
            self._bad_run.clear()
        if not samples.on_beat:
            self._count_off_beat_frame()
            return None
        self._off_beat_run = 0
        return frame_of((samples.index, time_s, status, counts))

    def _transfer(self) -> bytes | None:
        """Clock a frame in; None if the kernel failed, which may happen now and then."""
        try:
            answer = self._board.spi.transfer(self._request)
        except BusError as error:
            self._bus_errors += 1
            self._bus_error_run += 1
            if self._bus_error_run >= FAULTS_IN_A_ROW:
                self._recover(error)
            return None
        self._bus_error_run = 0
        return answer

    def _count_late_read(self) -> None:
        self._late_reads += 1
        self._late_run += 1
        if self._late_run > HOPELESS_S * self.setup.rate_hz:
            raise ReaderTooSlow(
                f"Not one sample was read in time for {HOPELESS_S:.0f} s: the machine is too busy "
                f"or DRDY is told too late; {against_late_reads()}, or lower chip.rate_hz."
            )

    def _count_bad_frame(self, data: bytes) -> None:
        self._bad_frames += 1
        self._good_since = self._frames
        self._bad_run.append(data)
        if len(self._bad_run) >= FAULTS_IN_A_ROW:
            self._recover(explain_frames(self._bad_run))

    def _count_off_beat_frame(self) -> None:
        self._off_beat_frames += 1
        self._off_beat_run += 1
        if self._off_beat_run > HOPELESS_S * self.setup.rate_hz:
            self._recover(
                WrongSampleRate(
                    "DRDY falls out of all rhythm: check its wire and board.drdy_pin, and that "
                    "gpiozero runs on lgpio, which has the kernel's time stamps."
                )
            )

    def _hand_out(self, frame: Frame) -> bool:
        """Count a good frame and say whether it is one to hand out."""
        index, time_s, _, counts = frame
        if self._settled_s is None:
            self._settled_s = time_s + self._settle_s
        if time_s < self._settled_s:
            return False
        if self._last_index is None:
            self._first_index = index
        self._last_index = index
        self._frames += 1
        self._monitor.push(counts)
        if self._reinitialisations_left < self._max_reinitialisations:
            self._redeem()
        if not self._continuous and time_s - self._checked_s > REGISTER_CHECK_S:
            self._check_registers(time_s)
        return True

    def _redeem(self) -> None:
        """Let a minute of good frames make up for the re-initialisations before."""
        if self._frames - self._good_since >= REDEEMED_S * self.setup.rate_hz:
            self._reinitialisations_left = self._max_reinitialisations

    def _check_registers(self, now_s: float) -> None:
        """Compare the registers with what was written; twice, if a reading was disturbed."""
        self._checked_s = now_s
        fault = self._chip.diagnose() and self._chip.diagnose()
        if fault is not None:
            self._recover(fault)

    def _recover(self, symptom: DriverError) -> None:
        """Re-initialise the chip a bounded number of times.

        Args:
            symptom: what to blame if the registers do not tell more.

        Raises:
            DriverError: the cause, once the bound is reached.
        """
        cause = self._chip.diagnose() or symptom
        while self._reinitialisations_left > 0:
            self._board.clock.sleep(PAUSES_S[-self._reinitialisations_left])
            self._reinitialisations_left -= 1
            self._reinitialisations += 1
            self.last_fault = cause
            try:
                self.setup = self._chip.restart()
            except DriverError as error:
                cause = error
            else:
                self._samples.restart()
                self._expect_first_edge()
                return
        raise cause
