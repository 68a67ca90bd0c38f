"""Are two recordings one person's? Their beats are compared as if both had been enrolled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatWindow
from model.enrolment import keep_nearest
from model.errors import EmbedderNeeded
from model.network import Network
from model.scores import corrected_cosine, mean_direction
from model.tensor import normalise
from model.verdict import Verdict


def compare(first: Sequence[BeatWindow], second: Sequence[BeatWindow], network: Network) -> Verdict:
    """Compare the mean embeddings of two recordings' good beats, as if both had been enrolled.

    One good beat in each is enough. The calibration was measured with one long recording and one of
    so many beats: where both are short, the row of the shorter is somewhat too sure of itself.
    The verdict does not ask for the threshold that enrolled people are accepted by, which trades
    many misses for few false matches: of single beats it misses every fourth pair.

    Raises:
        EmbedderNeeded: the model is a classifier.
    """
    passport = network.passport
    if passport.cohort is None:
        raise EmbedderNeeded(
            f"model {passport.name!r} knows only the group it was trained on; two recordings are "
            "compared by an embedder, such as the model that comes with qrsd"
        )
    embeddings = [network.run(good_beats(beats)) for beats in (first, second)]
    beats = min(len(of_one) for of_one in embeddings)
    if beats == 0:
        return Verdict(None, None, None, None, beats)
    one, other = (mean_direction(keep_nearest(of_one))[None] for of_one in embeddings)
    score = float(corrected_cosine(one, other, passport.cohort.embeddings)[0, 0])
    calibration = passport.calibration
    ln_ratio = calibration.ln_likelihood_ratio(score, beats)
    return Verdict(
        same=ln_ratio > 0,
        score=score,
        ln_likelihood_ratio=ln_ratio,
        probability=calibration.probability(score, beats),
        beats=beats,
    )


def good_beats(beats: Sequence[BeatWindow]) -> NDArray[np.float32]:
    """Return the beats that the service would count as the network's input, shape (n, 175)."""
    windows_mv = [beat.ecg_mv for beat in beats if beat.quality.good]
    return normalise(np.array(windows_mv, dtype=np.float64).reshape(-1, WINDOW_SAMPLES))
