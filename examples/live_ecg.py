"""Draw the filtered ECG as it comes, with a mark at each R peak.

python examples/live_ecg.py [tcp://127.0.0.1:5292]              a window
python examples/live_ecg.py tcp://127.0.0.1:5292 ecg.png        ten seconds into a file

Needs pyzmq, numpy and matplotlib. `ecg` and `r_peak` count samples from the same start, so that a
peak's index says where it lies in the waveform.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import numpy as np
import zmq
from numpy.typing import NDArray

ADDRESS = "tcp://127.0.0.1:5292"
SECONDS = 10


class Strip:
    """The last ten seconds: sample numbers, millivolts (NaN where not measured), and R peaks."""

    def __init__(self) -> None:
        self.rate_hz = 250.0
        self.index: NDArray[np.int64] = np.empty(0, np.int64)
        self.ecg_mv: NDArray[np.float32] = np.empty(0, np.float32)
        self.peaks: list[int] = []

    @property
    def full(self) -> bool:
        """Tell whether ten seconds are there."""
        return len(self.index) >= SECONDS * self.rate_hz

    def add(self, first: int, ecg_mv: NDArray[np.float32]) -> None:
        """Append a message's samples and let go of what is older than ten seconds."""
        keep = -round(SECONDS * self.rate_hz)
        self.index = np.append(self.index, first + np.arange(len(ecg_mv)))[keep:]
        self.ecg_mv = np.append(self.ecg_mv, ecg_mv)[keep:]
        self.peaks = [peak for peak in self.peaks if peak >= self.index[0]]


def listen(address: str) -> Iterator[Strip]:
    """Yield the strip after each message of the waveform."""
    socket = zmq.Context().socket(zmq.SUB)
    socket.connect(address)
    socket.subscribe("ecg")
    socket.subscribe("r_peak")
    strip = Strip()
    while True:
        topic, header, *payload = socket.recv_multipart()
        message = json.loads(header)
        if topic == b"r_peak":
            strip.peaks.append(message["index"])
        elif topic == b"ecg":
            strip.rate_hz = message["rate_hz"]
            strip.add(message["index"], np.frombuffer(payload[0], "<f4"))
            yield strip


def main() -> None:
    """Draw until the window is closed, or ten seconds into a file."""
    address, picture = [*sys.argv[1:], *[ADDRESS, ""][len(sys.argv) - 1 :]]
    import matplotlib

    if picture:
        matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10, 3), layout="constrained")
    (line,) = axes.plot([], [], color="black", linewidth=0.8)
    (marks,) = axes.plot([], [], "v", color="tab:red", label="R peak")
    axes.set(xlabel="time in s", ylabel="ECG in mV", ylim=(-1, 2))
    axes.legend(loc="upper right")
    for number, strip in enumerate(listen(address)):
        if picture and not strip.full:
            continue
        line.set_data(strip.index / strip.rate_hz, strip.ecg_mv)
        at = np.array([peak for peak in strip.peaks if peak in strip.index], dtype=np.int64)
        marks.set_data(at / strip.rate_hz, strip.ecg_mv[np.searchsorted(strip.index, at)])
        axes.set_xlim(strip.index[0] / strip.rate_hz, strip.index[0] / strip.rate_hz + SECONDS)
        if picture:
            figure.savefig(picture)
            return
        if number % 2 == 0:  # five pictures a second
            pyplot.pause(0.001)
        if not pyplot.get_fignums():
            return


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
