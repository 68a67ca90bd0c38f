"""Notifies systemd: ready, alive, stopping, and a line for ``systemctl status``.

Source: sd_notify(3). Without NOTIFY_SOCKET, as in a terminal, nothing is sent.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


class Notifier:
    """Sends notifications to systemd.

    Args:
        address: value of NOTIFY_SOCKET; None if there is none.
    """

    def __init__(self, address: str | None) -> None:
        self._socket: socket.socket | None = None
        if address:
            path = "\0" + address[1:] if address.startswith("@") else address
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            self._path = path

    @classmethod
    def of_this_process(cls) -> Notifier:
        """Return the notifier for the socket that systemd gave this process, if it did."""
        return cls(os.environ.pop("NOTIFY_SOCKET", None))

    def ready(self) -> None:
        """Tell that samples flow."""
        self._send("READY=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Set the line that ``systemctl status`` shows."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """Tell that the service ends on purpose."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()

    def _send(self, text: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # nobody reads it: no reason to stop, nor to wait
                self._socket.sendto(text.encode(), self._path)
