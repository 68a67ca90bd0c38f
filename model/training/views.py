"""One heart seen from many sides: what other electrodes would have recorded.

The 12 leads of a standard ECG hold, to a good approximation, one electric dipole that turns in
space, the vectorcardiogram. A lead is its shadow in one direction. Electrodes that sit a little
differently see it from a direction nearby; a direction far off is as good as another person.

Sources: G. E. Dower, H. B. Machado & J. A. Osborne, "On deriving the electrocardiogram from
vectorcardiographic leads", Clin. Cardiol. 3:87, 1980; L. Edenbrandt & O. Pahlm, "Vectorcardiogram
synthesized from a 12-lead ECG: superiority of the inverse Dower matrix", J. Electrocardiol.
21:361, 1988.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.r_peak import CURVATURE_S, sharpest_bend
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from model.training.datasets import BLEND, Hearts

#: The leads that a vectorcardiogram is made of; the others of the 12 follow from I and II.
LEADS = ("v1", "v2", "v3", "v4", "v5", "v6", "i", "ii")

#: Rows: X to the left, Y to the feet, Z to the back. Columns: LEADS.
INVERSE_DOWER = np.array(
    [
        [-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010],
        [0.057, -0.019, -0.106, -0.022, 0.041, 0.048, -0.227, 0.887],
        [-0.229, -0.310, -0.246, -0.063, 0.055, 0.108, 0.022, 0.102],
    ]
)

#: Where lead I looks from, as a unit vector (Dower's forward coefficients).
LEAD_I = np.array([0.632, -0.235, 0.059]) / np.linalg.norm([0.632, -0.235, 0.059])

IDENTITIES = 4  # directions of each heart, taken for so many persons
CONE_DEG = 45.0  # by which an identity's views differ at most from its direction
MARGIN = 30  # samples kept on either side of a window: each direction has its own R peak,
R_PLACES = range(MARGIN + BEFORE_R - 20, MARGIN + BEFORE_R + 21)  # which is here


class ViewSampler:
    """Draws batches of hearts as electrodes elsewhere see them, each beat from a view of its own.

    Each heart stands for four persons, whom it is seen from about so many directions: lead I's, and
    three anywhere.

    Args:
        hearts: what to look at.
        persons: made-up ones per batch.
        beats_each: views of each of them in a batch.
        rng: the source of chance.

    Attributes:
        persons: how many made-up persons there are.
    """

    def __init__(
        self, hearts: Hearts, persons: int, beats_each: int, rng: np.random.Generator
    ) -> None:
        self._dipoles = hearts.dipoles_mv
        self._rows = [np.flatnonzero(hearts.names == name) for name in np.unique(hearts.names)]
        self._centres = [
            LEAD_I if identity == 0 else _unit(rng.standard_normal(3))
            for _ in self._rows
            for identity in range(IDENTITIES)
        ]
        self.persons = len(self._centres)
        self._drawn = min(persons, self.persons)
        self._beats_each = beats_each
        self._rng = rng

    def draw(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return groups of beats to blend, shape (batch, 3, 175), and their labels (batch,)."""
        labels = np.repeat(self._rng.permutation(self.persons)[: self._drawn], self._beats_each)
        return np.stack([self._view(label) for label in labels]), labels

    def _view(self, label: int) -> NDArray[np.float64]:
        """Look at a few beats of one made-up person from one direction, shape (3, 175)."""
        rows = self._rng.choice(self._rows[label // IDENTITIES], BLEND)
        direction = direction_within(self._centres[label], CONE_DEG, self._rng)
        return seen_from(self._dipoles[rows], direction)


def seen_from(
    dipoles_mv: NDArray[np.float64], direction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what a lead in a direction sees of some beats, cut about its own R peak.

    Args:
        dipoles_mv: shape (n, 3, 30 + 175 + 30).
        direction: unit vector, shape (3,).

    Returns:
        Shape (n, 175).
    """
    seen_mv = direction @ dipoles_mv
    mean_mv = seen_mv.mean(axis=0).tolist()
    r = sharpest_bend(mean_mv, R_PLACES, round(CURVATURE_S * RATE_HZ), MARGIN + BEFORE_R)
    cut_mv: NDArray[np.float64] = seen_mv[:, r - BEFORE_R : r - BEFORE_R + WINDOW_SAMPLES]
    return cut_mv


def vectorcardiogram(leads_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the dipole X, Y, Z in mV, shape (3, n), from the signals of LEADS, shape (8, n)."""
    dipole_mv: NDArray[np.float64] = INVERSE_DOWER @ leads_mv
    return dipole_mv


def direction_within(
    centre: NDArray[np.float64], cone_deg: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a direction from the cone about another, uniformly over its part of the sphere."""
    tilt = np.arccos(1 - rng.random() * (1 - np.cos(np.radians(cone_deg))))
    return direction_at(centre, np.degrees(tilt), rng.uniform(0, 360))


def direction_at(
    centre: NDArray[np.float64], tilt_deg: float, turn_deg: float
) -> NDArray[np.float64]:
    """Return the unit vector that is tilted away from another, towards a side given by a turn.

    Args:
        centre: unit vector, shape (3,).
        tilt_deg: angle between the two.
        turn_deg: about ``centre``.
    """
    least = np.eye(3)[np.argmin(np.abs(centre))]  # an axis that is not along the centre
    side = _unit(np.cross(centre, least))
    other_side = np.cross(centre, side)
    tilt, turn = np.radians([tilt_deg, turn_deg])
    aside = np.cos(turn) * side + np.sin(turn) * other_side
    tilted: NDArray[np.float64] = np.cos(tilt) * centre + np.sin(tilt) * aside
    return tilted


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return scaled
