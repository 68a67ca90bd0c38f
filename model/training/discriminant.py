"""Fisher's linear discriminant, and within-class covariance normalisation (session compensation).

A network that learns from a few dozen hearts is led astray by what it happened to see; a linear
projection can hardly be. They err on different people, so both together know people better. That
is ``discriminant``, which takes the beats themselves.

What makes a heart unlike itself is less the noise of a beat than the day, the posture, the rate and
the fitting of the electrodes, and ten beats of one recording share these. ``session_compensation``
takes the embeddings of both and shrinks the directions in which one person's recordings differ.

Sources: R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936; for several
classes C. R. Rao, 1948. A. O. Hatch, S. Kajarekar & A. Stolcke, "Within-class covariance
normalization for SVM-based speaker recognition", Interspeech 2006.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

RIDGE = 0.5  # of the mean variance within persons, added to each: neighbouring samples are alike
BEAT_SHARE = 0.1  # of the variance within a recording: averaging ten beats leaves a tenth of it
SESSION_RIDGE = 1.0  # as RIDGE: how a few dozen persons' few recordings differ is known roughly


def discriminant(
    beats: NDArray[Any], persons: NDArray[np.str_], outputs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the directions in which persons differ most, next to how one person's beats differ.

    Args:
        beats: normalised, shape (n, samples).
        persons: whose each is, shape (n,).
        outputs: directions to return; there are as many as persons less one, the rest is zero.

    Returns:
        Matrix (samples, outputs) and offset (outputs,): ``beats @ matrix + offset`` is centred, and
        its deviation within a person is about 1 in each direction.
    """
    names = np.unique(persons)
    of_each = [beats[persons == name].astype(np.float64) for name in names]
    means = np.stack([own.mean(axis=0) for own in of_each])
    within = np.mean([np.cov(own.T, bias=True) for own in of_each], axis=0)
    matrix = _directions(np.cov(means.T), within, RIDGE, outputs)
    matrix[:, len(names) - 1 :] = 0
    return matrix, -means.mean(axis=0) @ matrix


def session_compensation(
    embeddings: NDArray[Any], persons: NDArray[np.str_], records: NDArray[np.str_], outputs: int
) -> NDArray[np.float64]:
    """Find the directions in which beats differ most, next to how one person's records differ.

    Args:
        embeddings: unit vectors of beats, shape (n, d).
        persons: whose each is, shape (n,).
        records: which recording it is from, unique across persons, shape (n,).
        outputs: directions to return.

    Returns:
        Matrix (d, outputs): in ``embeddings @ matrix``, one person's recordings differ alike in all
        directions. There is no offset: cosines of centred embeddings were measured to do worse.
    """
    _, firsts, record_of = np.unique(records, return_index=True, return_inverse=True)
    means = np.stack([embeddings[record_of == at].mean(axis=0) for at in range(len(firsts))])
    person_of = persons[firsts]
    own_means = [means[person_of == name].astype(np.float64) for name in np.unique(persons)]
    within = np.mean([np.cov(own.T, bias=True) for own in own_means], axis=0)
    within += BEAT_SHARE * np.cov((embeddings - means[record_of]).T, dtype=np.float64)
    return _directions(np.cov(embeddings.T, dtype=np.float64), within, SESSION_RIDGE, outputs)


def _directions(
    wanted: NDArray[np.float64], unwanted: NDArray[np.float64], ridge: float, outputs: int
) -> NDArray[np.float64]:
    """Return the directions, shape (d, outputs), with the highest ratio of two covariances (d, d).

    The unwanted one is ridged, and is then 1 in each direction.
    """
    ridged = unwanted + ridge * unwanted.diagonal().mean() * np.eye(len(unwanted))
    directions: NDArray[np.float64] = eigh(wanted, ridged)[1][:, ::-1][:, :outputs]
    return directions
