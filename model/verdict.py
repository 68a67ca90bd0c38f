"""What a comparison of two recordings comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two recordings are one person's."""

    #: whether such recordings are likelier of one person than of two; None without a good beat in
    #: each, as are the next three
    same: bool | None
    score: float | None  # corrected cosine of the recordings' mean embeddings
    #: natural logarithm of how many times as likely such recordings are of one person as of two;
    #: within that of 1/1000 and 1000
    ln_likelihood_ratio: float | None
    probability: float | None  # that it is the same person if both were as likely before, 0 to 1
    beats: int  # good beats of the recording that has fewer
