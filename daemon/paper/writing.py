"""Writes what was read from a page as a recording that every command reads."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from daemon.paper.digitizing import Digitized
from daemon.paper.errors import PageUnusable
from daemon.recordings.recorded import (
    LOST,
    PAPER,
    UNCERTAINTY,
    UNKNOWN_BEGIN,
    Annotation,
    Layout,
    RecordedSignal,
    lost_stretches,
)
from daemon.recordings.replay import GAIN, VREF_V
from daemon.recordings.writers import WRITERS, open_writer
from dsp.front_end import RATE_HZ

SYNC_S = 3600.0  # what is made of a page can be made again


def require_format(out: Path) -> None:
    """Find out before the work whether there is such a format.

    Raises:
        PageUnusable: there is none.
    """
    if out.suffix.casefold() not in WRITERS:
        raise PageUnusable(
            f"{out}: give it one of the suffixes {', '.join(WRITERS)}; qrsd convert makes others"
        )


def write(found: Digitized, out: Path) -> None:
    """Write the ECG, and the standard error of each sample as a second signal.

    Raises:
        RecordingNotWritten: the file is there already, or the system refuses.
    """
    signals = tuple(RecordedSignal(name, GAIN, VREF_V) for name in ("ECG", UNCERTAINTY))
    mv = np.column_stack([found.ecg_mv, found.error_mv])
    lost = np.isnan(mv).any(axis=1)
    codes = np.rint(np.nan_to_num(mv) / [signal.mv_per_code for signal in signals])
    codes[lost] = LOST
    said = (
        f"Read from paper, {found.scale.mm_per_s:g} mm/s, {found.scale.mm_per_mv:g} mm/mV, "
        f"quality {found.quality:.2f}"
    )
    layout = Layout(signals, RATE_HZ, PAPER, UNKNOWN_BEGIN)
    with closing(open_writer(out, layout, SYNC_S)) as writer:
        writer.write(codes.astype(np.int32), [Annotation(0, said), *lost_stretches(lost, 0)])
