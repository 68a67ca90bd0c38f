"""The folders of state (gallery, keys) and of sockets.

             as a service          as root          as anybody else
                                   or their owner
state        $STATE_DIRECTORY      /var/lib/qrsd    ~/.local/state/qrsd
runtime      $RUNTIME_DIRECTORY    /run/qrsd        $XDG_RUNTIME_DIR/qrsd or /tmp/qrsd-UID

The recorder's are qrsd-record instead, where it is a service: it has no business in the gallery.
"""

from __future__ import annotations

import os
from pathlib import Path

from config.errors import SettingsError

SYSTEM_STATE = Path("/var/lib/qrsd")
SYSTEM_RUNTIME = Path("/run/qrsd")
RECORDER_STATE, RECORDER_RUNTIME = Path("/var/lib/qrsd-record"), Path("/run/qrsd-record")
WEB_STATE, FLEET_STATE = Path("/var/lib/qrsd-web"), Path("/var/lib/qrsd-fleet")
SITES = Path("/etc/qrsd-fleet")  # of the machine of the fleet's server


def state_folder(system: Path | None = None) -> Path:
    """Return the folder of the gallery, or what a service whose is ``system`` has instead."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given)
    system = system or SYSTEM_STATE
    if _are_ours(system):
        return system
    return home() / ".local" / "state" / "qrsd"


def home() -> Path:
    """Return this user's home folder.

    Raises:
        SettingsError: it has none.
    """
    try:
        folder = Path.home()
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise SettingsError("this user has no home folder: set HOME, or STATE_DIRECTORY for qrsd's")
    return folder


def another_is_the_systems() -> bool:
    """Tell whether the installed service's state is in another folder than this user's."""
    if "STATE_DIRECTORY" in os.environ:
        return False
    return SYSTEM_STATE.is_dir() and not _are_ours(SYSTEM_STATE)


def keys_folder() -> Path:
    """Return the folder of the service's own key and of the list of clients."""
    return state_folder() / "keys"


def runtime_folder(system: Path | None = None) -> Path:
    """Return the folder of the sockets, or of a service whose is ``system``."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given)
    system = system or SYSTEM_RUNTIME
    if _are_ours(system):
        return system
    if user_runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(user_runtime) / "qrsd"
    return Path(f"/tmp/qrsd-{os.geteuid()}")


def _are_ours(folder: Path) -> bool:
    """Tell whether this is root, or the service's user as in ``sudo -u qrsd qrsd doctor``."""
    return os.geteuid() == 0 or (folder.is_dir() and folder.stat().st_uid == os.geteuid())


def gallery_path(*, simulated: bool = False) -> Path:
    """Return the file of the enrolled people; who is enrolled on a simulated chip has another."""
    return state_folder() / ("simulated.sqlite" if simulated else "gallery.sqlite")


def control_address() -> str:
    """Return the address of the control socket."""
    return f"ipc://{runtime_folder()}/control.ipc"


def recordings_folder() -> Path:
    """Return the folder of the recordings."""
    return state_folder(RECORDER_STATE) / "recordings"


def pseudonym_key_path() -> Path:
    """Return the file that makes pseudonyms of names, not to be copied with recordings."""
    return state_folder(RECORDER_STATE) / "pseudonyms.key"


def recorder_address() -> str:
    """Return the address of the recorder's control socket."""
    return f"ipc://{runtime_folder(RECORDER_RUNTIME)}/record.ipc"


def web_folder() -> Path:
    """Return the folder of the web server's tokens, certificate and work."""
    return state_folder(WEB_STATE) / "web"


def fleet_folder() -> Path:
    """Return the folder in which a device keeps what it knows of its site's people."""
    return state_folder(FLEET_STATE) / "fleet"


def sites_folder() -> Path:
    """Return the folder of the fleet's keys and server configuration, on the server's machine."""
    if os.geteuid() == 0 and "STATE_DIRECTORY" not in os.environ:
        return SITES
    return state_folder() / "sites"
