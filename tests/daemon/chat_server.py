"""A server on this machine that speaks the chat-completions API, well or badly."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass
class ChatServer:
    """Where it is, and what it was asked."""

    url: str
    ended: Event = field(default_factory=Event)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


Behaviour = Callable[[BaseHTTPRequestHandler, ChatServer], None]


def answer_of(content: object) -> bytes:
    message = {"role": "assistant", "content": content}
    return json.dumps({"model": "another", "choices": [{"index": 0, "message": message}]}).encode()


def saying(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    """Answer with a status and a body."""

    def behave(handler: BaseHTTPRequestHandler, _: ChatServer) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


@contextmanager
def chat_server(behave: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[ChatServer]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            served.paths.append(self.path)
            served.headers.append(dict(self.headers))
            served.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                behave(self, served)
            except OSError:  # whoever asked has had enough
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # as above, while a connection is made

    with Server(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https" if context else "http"
        served = ChatServer(f"{scheme}://127.0.0.1:{server.server_port}/v1")
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield served
        finally:
            served.ended.set()
            server.shutdown()
            thread.join()
