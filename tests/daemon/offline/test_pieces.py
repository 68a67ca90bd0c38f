"""A recording heard in pieces has the beats, gaps and waves of one that is heard as a whole."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from daemon.offline import pieces
from daemon.offline.errors import WorkerKilled
from daemon.offline.pieces import STRIP_SAMPLES, Heard, cut, hear, two_at_a_time
from drivers.waveforms.hearts import Heart

SECONDS = 700
PIECE_S = 240


def noisy_heart() -> np.ndarray:
    """A heart in muscle noise, with a gap across the seam at 480 s and a loose electrode."""
    ecg_mv = Heart(64).ecg_mv[: SECONDS * 250].copy()
    ecg_mv += np.random.default_rng(1).normal(0, 0.08, len(ecg_mv))
    ecg_mv[235 * 250 : 236 * 250] += 3.0
    ecg_mv[478 * 250 : 483 * 250] = np.nan
    ecg_mv[600 * 250] = np.nan
    return ecg_mv


def test_pieces_are_joined_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    ecg_mv = noisy_heart()
    [whole] = cut([ecg_mv])
    expected = hear(whole, 50, waves=True)
    monkeypatch.setattr(pieces, "PIECE_SAMPLES", PIECE_S * 250)
    cuts = list(cut(np.array_split(ecg_mv, 37)))
    assert [piece.begin for piece in cuts] == [0, 60_000, 120_000]
    assert np.array_equal(np.concatenate([piece.own_mv for piece in cuts]), ecg_mv, equal_nan=True)
    joined = Heard.joined([hear(piece, 50, waves=True) for piece in cuts])
    assert len(expected.r_indices) > 600
    for name in ("r_indices", "after_break", "beat_indices", "good", "gaps"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(expected, name), name)
    np.testing.assert_allclose(joined.r_mv, expected.r_mv, atol=1e-9)
    assert joined.gaps.tolist() == [[478 * 250, 483 * 250], [600 * 250, 600 * 250 + 1]]
    assert joined.flaws == expected.flaws
    assert joined.flaws
    assert joined.strips == expected.strips
    assert len(joined.strips) == SECONDS * 250 // STRIP_SAMPLES


def test_the_last_piece_holds_what_is_left_and_an_empty_recording_nothing() -> None:
    [nothing] = cut([])
    assert (nothing.begin, nothing.stop, len(nothing.own_mv)) == (0, 0, 0)
    assert not len(hear(nothing, 50, waves=True).r_indices)
    longest = pieces.PIECE_SAMPLES + pieces.AFTER_SAMPLES
    assert [piece.stop for piece in cut([np.zeros(longest)])] == [longest]
    assert [piece.stop for piece in cut([np.zeros(longest + 1)])] == [
        pieces.PIECE_SAMPLES,
        longest + 1,
    ]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
def test_another_process_does_every_second_one_in_their_order() -> None:
    done_by = list(two_at_a_time(_process, range(5)))
    assert [number for number, _ in done_by] == [0, 1, 2, 3, 4]
    ours, theirs = ({process for _, process in done_by[first::2]} for first in (0, 1))
    assert ours == {os.getpid()}
    assert len(theirs) == 1
    assert ours != theirs
    assert list(two_at_a_time(_process, [7])) == [(7, os.getpid())]


def _process(number: int) -> tuple[int, int]:
    return number, os.getpid()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
def test_a_worker_that_is_killed_is_told() -> None:
    """So the kernel ends the largest process when memory runs out."""
    with pytest.raises(WorkerKilled, match="when memory runs out"):
        list(two_at_a_time(_kill_unless, [os.getpid()] * 4))


def _kill_unless(parent: int) -> None:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
