"""``qrsd keys web-token`` and ``web-certificate``: who may use ``qrsd web`` from elsewhere."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from config.folders import another_is_the_systems, web_folder
from daemon.commands.parts import Subparsers, add_part, describe
from daemon.web.tokens import (
    SCOPES,
    add_token,
    read_tokens,
    revoke_token,
    tokens_path,
)
from model.folder_owner import as_owner_of_folder

if TYPE_CHECKING:
    from daemon.web.certificate import Certificate

TOKEN = """\
A token lets a browser or a program on another machine use qrsd web; web.address says where it
listens. Whoever has a token may do what its scopes say:

  live            hear who is recognised, by name, traces, heart rate and rhythm
  people:read     see who is enrolled, and names that an analysis finds
  people:write    enrol, rename, forget and export people
  recordings      start, stop, mark, see, download and delete recordings; analyse files
  control         see the device: settings, chip, versions

examples:
  sudo qrsd keys web-token add tablet --scope live
  sudo qrsd keys web-token add office --scope live --scope people:read --scope recordings
  sudo qrsd keys web-token revoke tablet"""

CERTIFICATE = """\
Other machines reach qrsd web by TLS. It makes a certificate of its own at its first start, which
nobody vouches for: compare the fingerprint that the browser shows with what this prints.

examples:
  sudo qrsd keys web-certificate show
  sudo qrsd keys web-certificate new heart.example.org 192.168.1.20"""

NOT_THE_SYSTEMS = "note: this is for a server that you run yourself; the installed one's: sudo qrsd"


def add_web_keys(commands: Subparsers) -> None:
    """Add the commands below ``qrsd keys``."""
    tokens = add_part(commands, "web-token", "Tokens for qrsd web: who may come from elsewhere.")
    describe(tokens, TOKEN)
    parts = tokens.add_subparsers(metavar="COMMAND", required=True)
    adding = add_part(parts, "add", "Make a token, and print it once.")
    adding.add_argument("name", metavar="NAME", help="what to call it here")
    adding.add_argument(
        "--scope",
        dest="scopes",
        action="append",
        required=True,
        choices=SCOPES,
        help="what it is for; may be given several times",
    )
    adding.set_defaults(run=run_add)
    revoking = add_part(parts, "revoke", "No longer accept a token.")
    revoking.add_argument("name", metavar="NAME")
    revoking.set_defaults(run=run_revoke)
    listing = add_part(parts, "list", "Print the tokens' names and scopes.")
    listing.add_argument("--json", action="store_true", help="print one JSON object, for scripts")
    listing.set_defaults(run=run_list)

    certificate = add_part(commands, "web-certificate", "The certificate that qrsd web shows.")
    describe(certificate, CERTIFICATE)
    parts = certificate.add_subparsers(metavar="COMMAND", required=True)
    making = add_part(parts, "new", "Make the own certificate, another if there is one.")
    making.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="more names and addresses of this machine than it knows itself",
    )
    making.set_defaults(run=run_new_certificate)
    add_part(parts, "show", "Print the own certificate's fingerprint and names.").set_defaults(
        run=run_show_certificate
    )


def run_add(args: argparse.Namespace) -> int:
    """Make a token and print it."""
    with as_owner_of_folder(tokens_path(web_folder())):
        secret = add_token(web_folder(), args.name, args.scopes)
    print(f"{args.name} has this token, which is shown only now:", file=sys.stderr)
    print(secret)
    if another_is_the_systems():
        print(NOT_THE_SYSTEMS, file=sys.stderr)
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Take a token off the list."""
    with as_owner_of_folder(tokens_path(web_folder())):
        revoke_token(web_folder(), args.name)
    print(f"The token of {args.name} is valid no more.")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print what tokens there are."""
    tokens = read_tokens(web_folder())
    if args.json:
        listed = [{"name": each.name, "scopes": sorted(each.scopes)} for each in tokens]
        print(json.dumps({"tokens": listed}))
        return 0
    if not tokens:
        print("There is no token yet: qrsd keys web-token add NAME --scope live")
        return 0
    width = max(len(each.name) for each in tokens)
    for each in tokens:
        print(f"{each.name:{width}}  {' '.join(sorted(each.scopes))}")
    return 0


def run_new_certificate(args: argparse.Namespace) -> int:
    """Make the own certificate and print its fingerprint."""
    from daemon.web.certificate import make_certificate

    with as_owner_of_folder(tokens_path(web_folder())):
        made = make_certificate(web_folder(), args.names)
    _show(made)
    print("A running qrsd web shows it after: sudo systemctl restart qrsd-web", file=sys.stderr)
    return 0


def run_show_certificate(_: argparse.Namespace) -> int:
    """Print the own certificate's fingerprint."""
    from daemon.web.certificate import own_paths, read_certificate

    with as_owner_of_folder(tokens_path(web_folder())):
        found = read_certificate(*own_paths(web_folder()))
    _show(found)
    return 0


def _show(certificate: Certificate) -> None:
    print(f"SHA-256  {certificate.fingerprint}")
    print(f"names    {' '.join(certificate.names)}")
    print(f"until    {certificate.ends:%Y-%m-%d}")
