"""Made-up patients with ectopic beats, marked, as the study of beat kinds takes them."""

from __future__ import annotations

import numpy as np

from model.training.kind_data import KINDS, MarkedBeats, judged_inputs
from tests.model.made_up_rhythm import events_of, rhythm

ECTOPIC = (15, 22, 31, 38)


def patients(count: int) -> tuple[MarkedBeats, MarkedBeats]:
    """Return the beats of so many patients, half with ventricular beats, and no beginnings."""
    parts = []
    for number in range(count):
        wide = number % 2 == 0
        _, ecg_mv = rhythm(48, ECTOPIC, wide=wide, seed=number)
        beats, inputs, shapes = judged_inputs(events_of(ecg_mv))
        kinds = np.zeros(len(beats), dtype=np.int64)
        kinds[list(ECTOPIC)] = KINDS.index("V" if wide else "S")
        names = np.full(len(beats), f"patient {number}")
        spoilt = np.array([beat.kind == "Q" for beat in beats])
        missed = {names[0]: np.zeros(len(KINDS), dtype=np.int64)}
        groups = np.full(len(beats), "made up")
        parts.append(MarkedBeats(inputs, shapes, spoilt, kinds, names, names, groups, missed))
    whole = MarkedBeats.join(parts)
    return whole, whole.where(np.zeros(len(whole.kinds), dtype=bool))
