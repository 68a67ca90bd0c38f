"""Reads one recording for the server: a process of its own, since the file may be hostile.

    python -m daemon.web.reader RECORD FOLDER [MAINS_HZ]  -> FOLDER/told.json, arrays of float32

    ecg, respiration         mV at 250 Hz, NaN where nothing was recorded; no respiration without
                             a signal of it
    ecg.4, ecg.16, ...       the least and the most of each so many samples, pair after pair

With the frequency of the grid, the heartbeats are looked for, too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import IdentityUnusable, RecordingError
from daemon.recordings.origin import Origin, origin, words
from daemon.recordings.recorded import R_PEAK, THE_END
from daemon.recordings.recording import OpenRecording
from daemon.recordings.replay import chain_events
from daemon.web.zoom import FACTORS
from dsp.front_end import RATE_HZ
from dsp.signals import BeatWindow, RPeak

PART_SAMPLES = 256 * max(FACTORS)  # at a time, so that a day needs no more memory than an hour
DATA, NOT_PERMITTED = 65, 77  # exit codes, as those of the command line


def read(record: str, folder: Path, mains_hz: int | None) -> dict[str, Any]:
    """Read a recording into files of a folder, and return what else there is to tell.

    Args:
        record: the recording.
        folder: where the files go.
        mains_hz: frequency of the grid; None to look for no heartbeats.

    Raises:
        RecordingError: it cannot be read.
    """
    recording = OpenRecording(record)
    told = origin(record, file=recording.file)
    write(recording.blocks(), folder / "ecg")
    respiration = recording.respiration_blocks()
    if respiration is not None:
        write(respiration, folder / "respiration")
    said = words(record, file=recording.file)
    return {
        "rate_hz": RATE_HZ,
        "begin_utc": _begin_utc(told),
        "device": told.source,
        "signals": recording.file.names,
        "notes": recording.notes,
        "lead_off_s": told.lead_off_s or (),
        "annotations": [
            {"at_s": round(at_s, 3), "text": text, "duration_s": round(length_s, 3)}
            for at_s, text, length_s in sorted(said)
            if text != THE_END and not text.startswith(R_PEAK)
        ],
        "beats": [*beats(recording, mains_hz)] if mains_hz else [],
    }


def beats(recording: OpenRecording, mains_hz: int) -> Iterator[dict[str, Any]]:
    """Yield the heartbeats that the signal chain finds, as ``qrsd detect`` does."""
    lead_off = [(off * RATE_HZ, on * RATE_HZ) for off, on in recording.lead_off_s]
    events = [*chain_events(recording.blocks(), mains_hz, lead_off)]
    judged = {event.r_index: event.quality for event in events if isinstance(event, BeatWindow)}
    peaks = (event for event in events if isinstance(event, RPeak))
    for peak in sorted(peaks, key=lambda each: each.index):
        quality = judged.get(peak.index)  # none for one that could not be cut out whole
        yield {
            "at_s": peak.index / RATE_HZ,
            "rr_s": peak.rr_s,
            "quality": quality and quality.score,
            "flaws": quality and quality.flaws,
        }


def write(blocks: Iterable[NDArray[np.float64]], file: Path) -> None:
    """Write a signal, and the least and the most of its stretches."""
    with file.open("wb") as raw:
        for block in blocks:
            block.astype(np.float32).tofile(raw)
    if not file.stat().st_size:
        return
    samples: NDArray[np.float32] = np.memmap(file, np.float32, "r")
    for begin in range(0, len(samples), PART_SAMPLES):
        _condense(samples[begin : begin + PART_SAMPLES], file)


def _condense(samples: NDArray[np.float32], file: Path) -> None:
    """Add the least and the most of each stretch of some samples to their files."""
    nowhere = ~np.isfinite(samples)
    least, most, before = np.where(nowhere, np.inf, samples), np.where(nowhere, -np.inf, samples), 1
    for factor in FACTORS:
        begins = np.arange(0, len(least), factor // before)
        least, most = np.minimum.reduceat(least, begins), np.maximum.reduceat(most, begins)
        with file.with_name(f"{file.name}.{factor}").open("ab") as pairs:
            np.column_stack([least, most]).astype(np.float32).tofile(pairs)
        before = factor


def _begin_utc(told: Origin) -> str | None:
    """Return when it begins, where it tells that in UTC."""
    begin: datetime | None = told.begin
    return None if begin is None or begin.tzinfo is None else begin.isoformat()


def main(arguments: Iterator[str]) -> int:
    """Read a recording; say on standard error why it cannot be read."""
    record, folder = next(arguments), Path(next(arguments))
    mains_hz = next(arguments, None)
    try:
        told = read(record, folder, int(mains_hz) if mains_hz else None)
    except RecordingError as error:
        print(f"qrsd: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return NOT_PERMITTED if isinstance(error, IdentityUnusable) else DATA
    (folder / "told.json").write_text(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(iter(sys.argv[1:])))
