"""Where qrsd keeps what it learned, and where its sockets are.

             as a service          as root          as anybody else
state        $STATE_DIRECTORY      /var/lib/qrsd    ~/.local/state/qrsd
runtime      $RUNTIME_DIRECTORY    /run/qrsd        $XDG_RUNTIME_DIR/qrsd or /tmp/qrsd-UID
"""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM_RUNTIME = Path("/run/qrsd")


def state_folder() -> Path:
    """Return the folder of the gallery."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/qrsd")
    return Path.home() / ".local" / "state" / "qrsd"


def runtime_folder() -> Path:
    """Return the folder of the sockets."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given)
    if os.geteuid() == 0:
        return SYSTEM_RUNTIME
    if user_runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(user_runtime) / "qrsd"
    return Path(f"/tmp/qrsd-{os.geteuid()}")


def gallery_path() -> Path:
    """Return the file of the enrolled people."""
    return state_folder() / "gallery.sqlite"


def control_address() -> str:
    """Return the address of the control socket."""
    return f"ipc://{runtime_folder()}/control.ipc"
