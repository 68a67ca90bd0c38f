"""Ten seconds of samples, from the chip itself or from the service that has it."""

from __future__ import annotations

from dataclasses import asdict
from math import nan

import numpy as np

from daemon.acquisition.realtime import ask_for_realtime, stop_collecting_garbage
from daemon.doctor.visit import Samples, Timing, Visit
from daemon.wire.client import Restarted, Silent, Subscriber
from daemon.wire.errors import ServiceUnavailable
from daemon.wire.keys import ClientKeys
from daemon.wire.messages import Received, StatusMessage, WaveMessage
from daemon.wire.status import ChipStatus
from drivers.frame import Frame
from drivers.stream import FrameStream
from dsp.contact import OFF_SAMPLES, Contact

SECONDS = 10


def from_chip(visit: Visit) -> Samples:
    """Read the chip as the service would."""
    if not visit.board.simulated:
        stop_collecting_garbage()
        ask_for_realtime()
    frames: list[Frame] = []
    delay_s: list[float] = []
    with visit.chip.stream() as stream:
        for _ in range(round(SECONDS * stream.setup.rate_hz)):
            frame = next(stream)
            delay_s.append(visit.board.clock.now() - frame.time_s)
            frames.append(frame)
        return _of_frames(frames, delay_s, stream)


def _of_frames(frames: list[Frame], delay_s: list[float], stream: FrameStream) -> Samples:
    setup = stream.setup
    index = np.array([frame.index for frame in frames])
    edge_s = np.array([frame.time_s for frame in frames])
    counts = np.array([frame.counts[setup.ecg_channel - 1] for frame in frames])
    contact = Contact()
    off_at = np.zeros(len(frames), dtype=np.bool_)
    for at, frame in enumerate(frames):
        contact.push(bool(setup.lead_off(frame.status)))
        off_at[at] = contact.off
    off_at[:OFF_SAMPLES] |= off_at[OFF_SAMPLES - 1]  # they were off all along, as was seen then
    slope, intercept = np.polyfit(index, edge_s, 1)
    return Samples(
        time_s=index / setup.rate_hz,
        ecg_mv=counts * setup.mv_per_count[setup.ecg_channel - 1],
        off_at=off_at if setup.lead_off_known else None,
        flickers=contact.flickers,
        nominal_hz=setup.rate_hz,
        rate_hz=1 / stream.period_s,
        timing=Timing(edge_s - (slope * index + intercept), np.array(delay_s)),
        taken=stream.counters.frames,
        lost=stream.counters.lost,
        counters=asdict(stream.counters),
        conditions={found.code: str(found) for found in stream.conditions},
        last_fault=str(stream.last_fault) if stream.last_fault else None,
    )


def from_service(address: str, keys: ClientKeys | None = None) -> Samples:
    """Listen to the service for as long, at an address that may ask for keys."""
    waves: list[WaveMessage] = []
    status: StatusMessage | None = None
    topics = (StatusMessage.TOPIC, WaveMessage.TOPIC)
    with Subscriber(address, topics, keys=keys) as subscriber:
        for item in subscriber:
            match item:
                case Silent(seconds=seconds):
                    raise ServiceUnavailable(f"The service has said nothing for {seconds:.0f} s.")
                case Received(message=StatusMessage(state="running") as status):
                    pass
                case Received(message=StatusMessage(state=state)):
                    raise ServiceUnavailable(f"The service was running, and now is {state}.")
                case Restarted():
                    waves.clear()
                case Received(message=WaveMessage() as wave):
                    waves.append(wave)
            if status and waves and waves[-1].index - waves[0].index >= SECONDS * waves[0].rate_hz:
                return _of_messages(waves, status)
    raise AssertionError("a subscriber listens without end")


def _of_messages(waves: list[WaveMessage], status: StatusMessage) -> Samples:
    at = waves[0].channels.index("ecg")
    rate_hz, mv_per_count = waves[0].rate_hz, waves[0].mv_per_count[at]
    index = [wave.index + n for wave in waves for n in range(len(wave.counts))]
    counts = [pair[at] for wave in waves for pair in wave.counts]
    chip = status.chip or ChipStatus()
    return Samples(
        time_s=np.array(index) / rate_hz,
        ecg_mv=np.array(counts) * mv_per_count,
        off_at=None
        if status.contact == "unknown"
        else np.full(len(index), status.contact == "off"),
        flickers=status.counters.lead_off_flickers,
        nominal_hz=rate_hz,
        rate_hz=status.counters.rate_hz or nan,
        timing=None,
        taken=status.counters.received,
        lost=status.counters.lost,
        counters=asdict(status.counters),
        conditions={one.condition: one.message for one in chip.conditions or ()},
        last_fault=chip.last_fault,
    )
