"""An archive on this computer: a made-up PhysioNet, and the mishaps of a network."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Literal

Mishap = Literal["breaks off", "altered", "busy", "gone", "logs in"]


@dataclass
class MadeUpArchive:
    """What is served, and what happens to it on its way.

    Attributes:
        files: contents by path, which starts with the set and its version.
        mishaps: what befalls a path, one after the other; all is well when they have passed.
        asked: how often each path was asked for.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    mishaps: dict[str, list[Mishap]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def publish(self, address: str, files: dict[str, bytes]) -> None:
        """Put a set there with its list of checksums, which has one blank as PhysioNet's has."""
        lines = [
            f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in files.items()
        ]
        self.files |= {f"{address}/{path}": content for path, content in files.items()}
        self.files[f"{address}/SHA256SUMS.txt"] = "".join(lines).encode()


@contextmanager
def serving(archive: MadeUpArchive) -> Iterator[str]:
    """Serve an archive, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer, which is acknowledged at once

        def do_GET(self) -> None:
            path = self.path.removeprefix("/")
            archive.asked[path] += 1
            ahead = archive.mishaps.get(path, [])
            self._answer(archive.files.get(path), ahead.pop(0) if ahead else None)

        def _answer(self, content: bytes | None, mishap: Mishap | None) -> None:
            if content is None or mishap == "gone":
                self.send_error(404)
            elif mishap == "busy":
                self.send_error(503)
            elif mishap == "logs in":
                self._send(b"<html>Welcome to the hotel</html>")
            elif mishap == "altered":
                self._send(content[:-1] + bytes([content[-1] ^ 1]))
            elif mishap == "breaks off":
                self._send(content[: len(content) // 2], promised=len(content))
                self.close_connection = True
            else:
                self._send(content)

        def _send(self, content: bytes, promised: int | None = None) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(promised or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
