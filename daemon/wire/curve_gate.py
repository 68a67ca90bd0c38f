"""Access control for TCP: CURVE encryption, and a ZAP handler that checks the list of clients.

            CURVE handshake             ZAP: may this key listen / control?
    client ------------------> socket ------------------------------------> the list of clients

The list is reloaded within a second of a change. ZeroMQ authenticates during the handshake only, so
when a client has lost a right all connections are closed; clients that are still allowed reconnect
by themselves within a second, and see by the sequence numbers what they missed.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils import z85

from config.errors import KeysError
from daemon.closing import Closing
from daemon.journal import event
from daemon.wire.keys import (
    RIGHTS,
    Client,
    KeyPair,
    Right,
    clients_path,
    read_clients,
    service_key_path,
)

_LOG = logging.getLogger(__name__)


class CurveGate(Closing):
    """Authenticates clients by their CURVE key: each needs the right of the socket it connects to.

    Args:
        context: of the sockets; it can have one gate.
        keys: folder of the service's key and the list; a ``KeysError`` if one cannot be read.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Path) -> None:
        self._keys = keys
        self._pair = KeyPair.read(service_key_path(keys))
        self._version = self._list_version()
        self._clients = read_clients(keys)
        self._open: list[tuple[zmq.Socket[bytes], str, Right]] = []
        self._shut: list[tuple[zmq.Socket[bytes], str, Right]] = []
        self._authenticator = ThreadAuthenticator(context)
        self._authenticator.start()
        for right in RIGHTS:
            self._authenticator.configure_curve_callback(right, self)

    def callback(self, right: str, key: bytes) -> bool:
        """Tell ThreadAuthenticator whether a client, by its key in Z85, has a right."""
        return any(client.may(right) for client in self._clients if client.key == z85.decode(key))

    def listen(self, socket: zmq.Socket[bytes], address: str, right: Right) -> None:
        """Bind an address with CURVE, for clients who have a right; no other address changes."""
        socket.zap_domain = right.encode()
        socket.curve_secretkey = self._pair.secret
        socket.curve_server = True
        socket.zap_enforce_domain = True  # else ZeroMQ allows everybody where no handler runs
        try:
            socket.bind(address)
        finally:
            socket.curve_server = False
            socket.zap_enforce_domain = False
        endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._open.append((socket, endpoint, right))

    def refresh(self) -> None:
        """Reload the list of clients if it changed, and disconnect those who were revoked.

        Raises:
            RuntimeError: the ZAP handler has died, so that nobody could connect any more.
        """
        if not self._authenticator.is_alive():
            raise RuntimeError("ZeroMQ's authenticator has died; see the traceback above.")
        if (version := self._list_version()) != self._version:
            self._version = version
            self._read_list()
        self._bind_again()

    def _read_list(self) -> None:
        before = self._clients
        try:
            self._clients = read_clients(self._keys)
        except KeysError as error:
            self._clients = ()
            _LOG.warning("all clients are refused: %s", error, extra=event("clients_unreadable"))
        else:
            count = len(self._clients)
            fields = event("clients_changed", clients=count)
            _LOG.info("clients that are allowed from now on: %d", count, extra=fields)
        if any(self._has_lost(client) for client in before):
            self._disconnect_all()

    def _has_lost(self, client: Client) -> bool:
        allowed = {each.key: each for each in self._clients}.get(client.key)
        return allowed is None or not allowed.may(client.right)

    def _disconnect_all(self) -> None:
        for socket, endpoint, _ in self._open:
            socket.unbind(endpoint)
        self._shut, self._open = self._shut + self._open, []

    def _bind_again(self) -> None:
        """Bind again what was unbound; ZeroMQ may take some milliseconds to release an address."""
        shut, self._shut = self._shut, []
        for socket, endpoint, right in shut:
            try:
                self.listen(socket, endpoint, right)
            except zmq.ZMQError as error:
                self._shut.append((socket, endpoint, right))
                fields = event("address_shut")
                _LOG.info("%s is listened on again in a moment: %s", endpoint, error, extra=fields)

    def _list_version(self) -> tuple[int, int] | None:
        """Return what changes when the list is written."""
        try:
            status = os.stat(clients_path(self._keys))
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def close(self) -> None:
        """Stop the ZAP handler, after which no client can connect."""
        if self._authenticator.pipe and not self._authenticator.is_alive():
            self._authenticator.pipe.close()  # through which stop() would wait for it for ever
            self._authenticator.pipe = None  # type: ignore[assignment]
        self._authenticator.stop()
