"""How alike two hearts are, and how much that means.

All embeddings are unit vectors. Their cosine says how alike two are, but some people are like
many: what a stranger who is like them reaches as well is half taken off, judged by those of a
cohort of strangers that are nearest. Before that, half of what is common to everybody on a device
is taken off (half-centring), since another device moves all hearts the same way.

Source: A. Conneau et al., "Word Translation Without Parallel Data", ICLR 2018 (cross-domain
similarity local scaling, of which half is used here).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: As much as so many enrolled people, the cohort says what hearts have in common.
PRIOR_PERSONS = 4

#: So many of the cohort say how alike strangers may be.
NEAREST = 3


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors to length 1 along the last axis; a zero vector stays zero."""
    length: NDArray[np.float32] = np.linalg.norm(vectors, axis=-1, keepdims=True)
    length[length == 0] = 1
    return vectors / length


def mean_direction(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the unit vector amid several beats' embeddings, shape (n, d) to (d,)."""
    return unit(embeddings.mean(axis=0))


def cosine(templates: NDArray[Any], probes: NDArray[Any]) -> NDArray[Any]:
    """Return the cosine of each template (t, d) with each probe (p, d), shape (t, p), -1 to 1."""
    likeness: NDArray[Any] = templates @ probes.T
    return likeness


def common_direction(
    template_means: NDArray[np.float32], cohort: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what the hearts on a device have in common, shape (d,), as far as it is known.

    One person's template says nothing of the device apart from that person, so that it is the
    cohort's mean that counts; with the number of people their own mean takes over.

    Args:
        template_means: one row for each enrolled person, shape (p, d); p may be 0.
        cohort: shape (c, d).
    """
    others = max(len(template_means) - 1, 0)
    trust = others / (others + PRIOR_PERSONS)
    own = template_means.mean(axis=0) if others else 0.0
    common: NDArray[np.float32] = trust * own + (1 - trust) * cohort.mean(axis=0)
    return common


def half_centre(vectors: NDArray[Any], common: NDArray[Any]) -> NDArray[Any]:
    """Take half of what is common off unit vectors, shape (n, d), and make them unit again."""
    return unit(vectors - common / 2)


def familiarity(vectors: NDArray[Any], cohort: NDArray[Any]) -> NDArray[Any]:
    """Return how alike each of (n, d) is to those of the cohort that are likest to it, shape (n,).

    The mean cosine with the NEAREST; unit vectors, centred alike or not at all.
    """
    cosines = np.partition(cosine(vectors, cohort), -NEAREST, axis=1)
    nearest: NDArray[Any] = cosines[:, -NEAREST:].mean(axis=1)
    return nearest


def corrected_cosine(
    templates: NDArray[Any],
    probes: NDArray[Any],
    cohort: NDArray[Any],
    common: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Return the cosine of each template with each probe, all of them half-centred, less chance.

    Chance is how alike both are to the strangers of the cohort that are likest to them: half of
    the mean of their familiarities is taken off.

    Args:
        templates: shape (t, d).
        probes: shape (p, d).
        cohort: embeddings of strangers, shape (c, d), c >= 2.
        common: to the hearts on this device, shape (d,); None for the cohort's own mean.

    Returns:
        Shape (t, p): 0.5 or more for the same heart, as a rule, and below 0.4 for two.
    """
    of_cohort = cohort.mean(axis=0)
    common = of_cohort if common is None else common
    templates, probes = half_centre(templates, common), half_centre(probes, common)
    cohort = half_centre(cohort, of_cohort)
    chance = (familiarity(templates, cohort)[:, None] + familiarity(probes, cohort)) / 2
    scores: NDArray[np.float64] = cosine(templates, probes).astype(np.float64) - chance / 2
    return scores
