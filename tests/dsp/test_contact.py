"""Lead-off bits count once they last, and nobody hands electrodes over unnoticed."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.contact import OFF_SAMPLES, ON_SAMPLES, Contact


def test_bits_count_after_48_ms_and_again_after_48_ms_without() -> None:
    contact = Contact()
    for _ in range(2):  # the second time as the first
        assert [contact.push(True) or contact.off for _ in range(OFF_SAMPLES)].index(True) == 11
        assert [contact.push(False) for _ in range(ON_SAMPLES)].index(True) == 11
        assert not contact.off


@pytest.mark.parametrize("every", [50, 250, 500, 1500])
def test_flickers_are_counted_and_do_not_count(every: int) -> None:
    contact = Contact()
    used = [contact.push(index % every == every // 2) for index in range(6000)]
    assert used.count(False) == contact.flickers == 6000 // every
    assert not contact.off


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_bits_that_flicker_while_electrodes_are_handed_over_mean_off(share: float) -> None:
    for seed in range(50):
        contact = Contact()
        bits = np.random.default_rng(seed).random(250) < share
        used = [contact.push(bool(bit)) or not contact.off for bit in bits]
        assert not all(used)
