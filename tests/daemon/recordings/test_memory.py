"""What a long record takes in memory, measured in processes of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart

#: What is heard is the same whatever it is read from, so one format is enough.
READ = """
from daemon.recordings.recording import OpenRecording
assert sum(map(len, OpenRecording(sys.argv[1]).blocks())) >= 30_000
"""
HEAR = """
from daemon.offline.analysis import find_beats
assert len(find_beats(sys.argv[1]).r_indices) > 100
"""
PEAK_MIB = """
import re
from pathlib import Path
status = Path("/proc/self/status").read_text()  # not getrusage, which counts the parent before exec
print(int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) / 1024)
"""
MINUTES = (2, 30)
MORE_MIB = 12  # half an hour is heard as one piece, which is held twice while it is joined: 7


def write_wfdb(path: Path, ecg_mv: np.ndarray) -> Path:
    header = f"{path.name} 1 250 {len(ecg_mv)}\n{path.name}.dat 16 200/mV 16 0 0 0 0 ECG\n"
    path.with_suffix(".hea").write_text(header)
    np.rint(ecg_mv * 200).astype("<i2").tofile(path.with_suffix(".dat"))
    return path


def write_csv(path: Path, ecg_mv: np.ndarray) -> Path:
    codes = np.rint(ecg_mv / millivolts_per_count(6, 2.42)).astype(int).tolist()
    lines = (f"{row / 250:.3f},{code}\n" for row, code in enumerate(codes))
    path.with_suffix(".csv").write_text("timestamp,Channel 1\n" + "".join(lines))
    return path.with_suffix(".csv")


@pytest.mark.parametrize(
    ("write", "work"), [(write_wfdb, READ), (write_csv, HEAR)], ids=["wfdb", "csv"]
)
def test_memory_does_not_grow_with_the_length(
    tmp_path: Path, write: Callable[[Path, np.ndarray], Path], work: str
) -> None:
    if write is write_wfdb:
        pytest.importorskip("wfdb", reason="needs pip install '.[records]'")
    heart = Heart(64)
    peaks_mib = []
    for minutes in MINUTES:
        record = write(tmp_path / f"of{minutes}", np.resize(heart.ecg_mv, minutes * 15_000))
        command = [sys.executable, "-c", f"import sys{work}{PEAK_MIB}", str(record)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks_mib.append(float(said))
    assert peaks_mib[1] < peaks_mib[0] + MORE_MIB
    assert peaks_mib[1] < 200
