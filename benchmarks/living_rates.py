"""How many living hearts are suspected of being played, by their rate.

    python -m benchmarks.living_rates

Drawn hearts of 60 s whose RR intervals deviate by 6 % at rest, and by 6 ms in exercise, with muscle
noise of 0.02 mV: no public recording holds a rate from 50 to 200 for a minute each.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from daemon.offline.analysis import analyse_recording
from daemon.recordings.recording import Recording
from drivers.waveforms.hearts import Heart, draw_anatomy
from dsp.liveness import Liveness

RATES_BPM = (50, 70, 90, 110, 120, 136, 150, 165, 180, 200)
HEARTS = 20
SECONDS = 60
MUSCLE_MV = 0.02


def suspected(seed: int, bpm: int) -> tuple[bool, float]:
    """Return whether one heart was suspected at any time, and the share of its good beats."""
    rr_sd_s = 0.06 * 60 / bpm if bpm <= 90 else 0.006
    rng = np.random.default_rng(seed)
    anatomy = replace(
        draw_anatomy(rng), heart_rate_bpm=bpm, rr_sd_s=rr_sd_s, breathing_hz=0.25 + bpm / 600
    )
    ecg_mv = Heart(seed, anatomy).ecg_mv[: SECONDS * 250]
    noise_mv = rng.normal(0, MUSCLE_MV, len(ecg_mv))
    beats = analyse_recording(Recording("drawn", "drawn", ecg_mv + noise_mv)).beats
    liveness = Liveness()
    said = [liveness.push(beat) for beat in beats]
    return any(said), sum(beat.quality.good for beat in beats) / len(beats)


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    print(f"{'bpm':>5} {'BPCER %':>8} {'good beats %':>13}")
    for bpm in RATES_BPM:
        found, good = zip(*(suspected(seed, bpm) for seed in range(HEARTS)), strict=True)
        print(f"{bpm:5} {100 * np.mean(found):8.0f} {100 * np.mean(good):13.1f}")


if __name__ == "__main__":
    main()
