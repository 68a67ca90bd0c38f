"""A recording on its way through the converter: to 24-bit codes and back, then on as samples.

Offline commands and training hear a recording exactly as the service would through a chip at gain 6
with its 2.42 V reference: clipped at the ends of the range and in steps of the converter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from daemon.recordings.recording import Recording
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS, millivolts_per_count
from dsp.signals import Sample

GAIN = 6
VREF_V = 2.42


def samples(recording: Recording) -> Iterator[Sample]:
    """Yield a recording's samples; those not recorded (NaN) are lost, so that the index jumps.

    Whether the electrodes touched the skin is not known of a recording: ``lead_off`` is None.
    """
    mv_per_count = millivolts_per_count(GAIN, VREF_V)
    codes = np.clip(np.rint(recording.ecg_mv / mv_per_count), MIN_COUNTS, FULL_SCALE_COUNTS)
    saturated = (codes == MIN_COUNTS) | (codes == FULL_SCALE_COUNTS)
    recorded = np.flatnonzero(~np.isnan(codes))
    rows = zip(
        recorded.tolist(),
        (recorded / recording.rate_hz).tolist(),
        (codes * mv_per_count)[recorded].tolist(),
        saturated[recorded].tolist(),
        strict=True,
    )
    for index, time_s, ecg_mv, is_saturated in rows:
        yield Sample(index, time_s, ecg_mv, None, is_saturated)
