"""A recording of 24 hours, converted, analysed and reported on: time and memory of each command.

    python -m benchmarks.day
    python -m benchmarks.day --hours 1

The recording is a synthetic heart in muscle noise, with a gap and an electrode off each hour, made
by the recorder's own writer. Each command is a process of its own. Its memory is that of all its
processes together, pages that they share counted once (PSS); its processor time tells on a busy
machine what the time by the clock does not. neurokit2 gets the samples in memory, at 250 Hz, and is
asked for what it has: R peaks, and variability in time and frequency of them. Its figures for
non-linear variability are left out, since they grow with the square of the number of intervals.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from daemon.offline.results import show
from daemon.recordings.bdf_writer import BdfWriter
from daemon.recordings.recorded import (
    LEAD_OFF,
    LEAD_ON,
    LOST,
    LOST_SAMPLES,
    R_PEAK,
    Annotation,
    Layout,
    RecordedSignal,
)
from daemon.tables import filled
from drivers.waveforms.hearts import Heart

RATE_HZ = 250
LAYOUT = Layout(
    (RecordedSignal("Resp", 4, 2.42), RecordedSignal("ECG", 6, 2.42)),
    RATE_HZ,
    "simulated",
    datetime(2026, 1, 1, tzinfo=UTC),
)
NOISE_MV = 0.02
HOUR_S = 3600
GAP_S, OFF_S = range(1800, 1804), range(3000, 3020)  # seconds of each hour
LOOK_S = 0.5  # how often memory is looked at

NEUROKIT = """
import sys, warnings
import neurokit2, numpy as np
from daemon.recordings.recording import read_recording
warnings.simplefilter("ignore")
ecg_mv = np.nan_to_num(read_recording(sys.argv[1], "ECG").ecg_mv)
cleaned = neurokit2.ecg_clean(ecg_mv, sampling_rate=250)
peaks, _ = neurokit2.ecg_peaks(cleaned, sampling_rate=250)
neurokit2.hrv_time(peaks, sampling_rate=250)
neurokit2.hrv_frequency(peaks, sampling_rate=250)
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took."""

    clock_s: float
    processor_s: float
    memory_mib: float  # at its peak

    def words(self) -> tuple[str, ...]:
        """Return the cells of its row."""
        return f"{self.clock_s:.0f}", f"{self.processor_s:.0f}", f"{self.memory_mib:.0f}"


def write_recording(path: Path, hours: float) -> None:
    """Write the heart's recording."""
    heart = Heart(4)
    steps_mv = np.array([signal.mv_per_code for signal in LAYOUT.signals])
    signals_mv = np.column_stack([heart.respiration_mv, heart.ecg_mv])
    r_indices = np.flatnonzero(np.diff(np.floor(heart.phase_rad / (2 * np.pi))))
    random = np.random.default_rng(1)
    with closing(BdfWriter(path, LAYOUT, HOUR_S)) as writer:
        for second in range(round(hours * HOUR_S)):
            place = second * RATE_HZ % len(signals_mv)
            noise_mv = random.normal(0, NOISE_MV, (RATE_HZ, 2))
            noisy_mv = signals_mv[place : place + RATE_HZ] + noise_mv
            codes = np.rint(noisy_mv / steps_mv).astype(np.int32)
            if second % HOUR_S in GAP_S:
                codes[:] = LOST
            if second % HOUR_S in OFF_S:
                codes[:, 1] = 0
            inside = r_indices[(r_indices >= place) & (r_indices < place + RATE_HZ)] - place
            writer.write(codes, words(second, inside.tolist()))


def words(second: int, r_indices: Sequence[int]) -> Iterator[Annotation]:
    """Yield the annotations of a second with R peaks at some of its samples."""
    begin = second * RATE_HZ
    for index in r_indices:
        yield Annotation(begin + index, R_PEAK)
    if second % HOUR_S == GAP_S.start:
        yield Annotation(begin, LOST_SAMPLES, len(GAP_S) * RATE_HZ)
    for at, text in ((OFF_S.start, LEAD_OFF), (OFF_S.stop, LEAD_ON)):
        if second % HOUR_S == at:
            yield Annotation(begin, text)


def measure(command: Sequence[str | Path]) -> Taken:
    """Run a command to its end, and look at it meanwhile."""
    began_s, before = time.monotonic(), os.times()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak_mib = 0.0
    while True:
        peak_mib = max(peak_mib, sum(map(_memory_mib, _family(process.pid))))
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
            break
    after = os.times()
    processor_s = after[2] + after[3] - before[2] - before[3]  # of children that ended
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return Taken(time.monotonic() - began_s, processor_s, peak_mib)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):  # it has just ended
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _memory_mib(pid: int) -> float:
    with suppress(OSError):
        found = re.search(r"^Pss:\s*(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def commands(record: Path, folder: Path) -> Iterator[tuple[str, list[str | Path]]]:
    """Yield what is measured, by its name."""
    qrsd: list[str | Path] = [sys.executable, "-m", "daemon"]
    for name in ("day.hea", "day.csv"):
        yield f"convert to {name}", [*qrsd, "convert", record, folder / name]
    yield "detect", [*qrsd, "detect", record, "--out", folder]
    yield "hrv", [*qrsd, "hrv", record, "--json"]
    for name in ("day.json", "day.html", "day.pdf"):
        yield f"report to {name}", [*qrsd, "report", record, "--out", folder / name]
    if find_spec("neurokit2"):
        yield "neurokit2: R peaks, variability", [sys.executable, "-c", NEUROKIT, record]
    else:
        print("note: neurokit2 is left out, it comes with the extra [benchmark]", file=sys.stderr)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=24.0, help="its length (%(default)s)")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="qrsd-benchmark-") as place:
        folder = Path(place)
        write_recording(folder / "recorded.bdf", args.hours)
        for name, command in commands(folder / "recorded.bdf", folder):
            rows.append((name, *measure(command).words()))
            print(*rows[-1], sep=", ", file=sys.stderr)
    headings = ("command", "seconds", "processor seconds", "peak memory, MiB")
    show([filled(f"{args.hours:g} hours, {len(os.sched_getaffinity(0))} cores", headings, rows)])


if __name__ == "__main__":
    main()
