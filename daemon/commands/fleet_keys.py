"""``qrsd keys fleet-site`` and ``fleet-device``: who is of a fleet, on its server's machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from config.folders import sites_folder
from daemon.commands.parts import Subparsers, add_part, describe
from daemon.errors import import_extra

SITE = """\
Makes the key by which the site's devices read each other's people, the key that vouches for
devices, and an account in the configuration of nats-server, all in the folder of sites: on the
machine of the server, as root, /etc/qrsd-fleet. See docs/fleet.md.

examples:
  sudo qrsd keys fleet-site house
  sudo qrsd keys fleet-device door-3 && sudo systemctl reload nats-server"""

DEVICE = """\
Makes the device's key, and tells the configuration of nats-server of it. The file that is
printed, and the site's key, go to the device, into /etc/credstore, by a way that nobody listens to.

examples:
  sudo qrsd keys fleet-device door-3"""


def add_fleet_keys(commands: Subparsers) -> None:
    """Add the commands below ``qrsd keys``."""
    site = add_part(commands, "fleet-site", "Make a site of a fleet.")
    describe(site, SITE)
    site.add_argument("site", metavar="SITE", help="its name, such as house")
    site.set_defaults(run=run_site)
    device = add_part(commands, "fleet-device", "Make the key of a device of a site.")
    describe(device, DEVICE)
    device.add_argument("device", metavar="DEVICE", help="its name at the site, such as door-3")
    device.set_defaults(run=run_device)
    add_site(device)
    for command in (site, device):
        add_folder(command)


def add_site(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which site of the folder."""
    parser.add_argument("--site", metavar="SITE", help="which, where there are several")


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which folder of sites."""
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="of the sites' keys")


def chosen_site(args: argparse.Namespace) -> tuple[Path, str]:
    """Return the folder of sites, and which site of it is meant.

    Raises:
        KeyMissing: there is none, or several and none was named.
    """
    from daemon.fleet.site_folder import only_site

    folder = args.folder or sites_folder()
    return folder, args.site or only_site(folder)


def run_site(args: argparse.Namespace) -> int:
    """Make a site."""
    import_extra("nkeys", "fleet", "qrsd keys fleet-site")
    from daemon.fleet.site_folder import make_site, site_key_path

    folder = args.folder or sites_folder()
    make_site(folder, args.site)
    print(f"The site's key, for all its devices, is {site_key_path(folder, args.site)}.")
    print(f"nats-server -c {folder / 'nats-server.conf'} serves it: docs/fleet.md")
    return 0


def run_device(args: argparse.Namespace) -> int:
    """Make the key of a device."""
    import_extra("nkeys", "fleet", "qrsd keys fleet-device")
    from daemon.fleet.site_folder import add_device, credentials_path

    folder, site = chosen_site(args)
    add_device(folder, site, args.device)
    print(credentials_path(folder, site, args.device))
    return 0
