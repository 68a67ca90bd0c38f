"""The [train] extra: found out about before the work, and told how to behave."""

from __future__ import annotations

import os

from daemon.errors import import_extra

#: What TensorFlow wants to be told before it is imported: to be quiet, and to keep to one thread,
#: which for so small a network is faster than two, and gives the same figures every time.
TENSORFLOW = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def require_tensorflow() -> None:
    """Import TensorFlow, quiet and on one thread, here and in every process begun from here."""
    for name, value in TENSORFLOW.items():
        os.environ.setdefault(name, value)
    import_extra("tensorflow", "train", "Training")
