"""The network that tells the kinds of beats, with its passport, ready for ``BeatKindJudge``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import FrontEnd
from model.beat_history import INPUTS, KnownBeat
from model.beat_kinds import Kind, Verdict
from model.beat_passport import TOLD_KINDS, BeatPassport, read_model
from model.beat_usual import UsualOdds
from model.network import Runner
from model.passport import check_front_end

#: The network that comes with qrsd.
SHIPPED = Path(__file__).with_name("beat_kinds.tflite")


class BeatNetwork:
    """A model of beat kinds, to be called with what ``BeatHistory.take`` gives.

    Attributes:
        passport: what is known of the model.
        runtime: the package that runs it.
        took: called with the seconds of each run; may be replaced.

    Raises:
        ModelMissing: there is no model at the path.
        PassportError: its passport does not vouch for it, or names another signal chain.
        NetworkError: no runtime works, or the runtime refuses the model.
    """

    def __init__(self, model_path: Path = SHIPPED) -> None:
        self.took: Callable[[float], None] = lambda _seconds: None
        content = read_model(model_path)
        self.passport = BeatPassport.load(model_path, content)
        check_front_end(self.passport.name, self.passport.front_end, FrontEnd.description())
        self._runner = Runner(model_path, content, INPUTS, len(TOLD_KINDS))
        self.runtime = self._runner.runtime

    def __call__(self, beat: KnownBeat, usual: UsualOdds) -> Verdict:
        """Judge one beat of a wearer."""
        begin_s = perf_counter()
        logits = usual.correct(self.logits(beat.inputs), beat.shape)[None]
        self.took(perf_counter() - begin_s)
        decision = self.passport.decision
        kind = TOLD_KINDS[int(decision.kinds(logits)[0])]
        return Verdict(cast(Kind, kind), float(decision.abnormal(logits)[0]))

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the network itself says, shape (4,)."""
        return self._runner.run(inputs)
