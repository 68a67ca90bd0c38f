"""``qrsd web``: a page for the browser, and a REST API."""

from __future__ import annotations

import argparse
from dataclasses import replace

from config.errors import SettingInvalid
from config.settings import load
from daemon.commands.connection import to_control, to_messages
from daemon.commands.parts import describe
from daemon.commands.service import start_logging
from daemon.errors import import_extra

WEB = """\
Whose heart it is, live in any browser, with enrolment and recordings; and the same for programs
under /api/v1. On this machine it asks for no password; other machines come in by TLS with a token,
if web.address is set. Settings: web in /etc/qrsd/qrsd.yaml. Ctrl-C ends it. See docs/web.md and
docs/api.md. Not a medical device, not for diagnosis.

examples:
  qrsd web
  ssh -N -L 5280:127.0.0.1:5280 pi            (then http://localhost:5280 on your own machine)
  curl http://127.0.0.1:5280/api/v1/identity
  sudo systemctl enable --now qrsd-web"""


def add_web(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd web``."""
    describe(parser, WEB)
    parser.add_argument("--port", type=int, help="to listen on; 0 for any (default: web.port)")
    # Which service it is of, two sockets, the settings say: connect.
    parser.set_defaults(run=run, address=None, key=None, service_key=None)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or systemctl stop."""
    for package in ("starlette", "uvicorn", "websockets", "python_multipart"):
        import_extra(package, "web", "qrsd web")
    from daemon.web.context import Socket
    from daemon.web.server import Sockets, serve

    messages, control = to_messages(args), to_control(args)
    loaded = load()
    if args.port is not None:
        try:
            web = replace(loaded.settings.web, port=args.port)
        except ValueError as error:
            raise SettingInvalid(f"--{error}") from error
        loaded = replace(loaded, settings=replace(loaded.settings, web=web))
    start_logging(loaded.settings)
    service = Sockets(
        Socket(messages.address, messages.keys), Socket(control.address, control.keys)
    )
    serve(loaded, service, lambda url: print(f"The page is at {url}", flush=True))
    return 0
