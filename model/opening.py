"""Opens the model that decides, if it belongs to this very signal chain."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dsp.front_end import FrontEnd
from model.network import Network

DEFAULT_MODEL = Path(__file__).parent / "ecg_id.tflite"


def open_network(model: Path | None, rotation_seed: bytes | None = None) -> Network:
    """Open a model that was trained behind this very signal chain; None for qrsd's own.

    ``rotation_seed`` is that of the gallery whose people it is to know.

    Raises:
        ModelError: it is not there, not what its passport says, or trained otherwise.
    """
    if model is not None:
        _tried(model, model.stat().st_mtime_ns if model.exists() else 0)
    network = Network(model or DEFAULT_MODEL, rotation_seed)
    network.passport.check_front_end(FrontEnd.description())
    return network


@cache
def _tried(model: Path, _changed_ns: int) -> None:
    """Try a model that did not come with qrsd, once for each state of its file."""
    Network.try_in_child(model)
