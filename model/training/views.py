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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
VIEWS = 3  # of each identity: fittings of the electrodes
CONE_DEG = 30.0  # by which these differ at most from the identity's direction


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A direction to see a heart from.

    Attributes:
        identity: number of the made-up person that it belongs to, 0 to 3.
        number: of the view among that identity's.
        direction: unit vector, shape (3,).
    """

    identity: int
    number: int
    direction: NDArray[np.float64]


def vectorcardiogram(leads_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the dipole X, Y, Z in mV, shape (3, n), from the signals of LEADS, shape (8, n)."""
    dipole_mv: NDArray[np.float64] = INVERSE_DOWER @ leads_mv
    return dipole_mv


def draw_views(rng: np.random.Generator) -> Iterator[View]:
    """Yield the views of one heart: identity 0 is centred on lead I, the others anywhere."""
    for identity in range(IDENTITIES):
        centre = LEAD_I if identity == 0 else _unit(rng.standard_normal(3))
        for number in range(VIEWS):
            # uniform over the part of the sphere inside the cone
            tilt = np.arccos(1 - rng.random() * (1 - np.cos(np.radians(CONE_DEG))))
            turn = rng.uniform(0, 360)
            yield View(identity, number, direction_at(centre, np.degrees(tilt), turn))


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
