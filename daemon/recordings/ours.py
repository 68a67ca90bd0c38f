"""How a recording that qrsd wrote says so, in its header or its first lines."""

from __future__ import annotations

import re

OURS = "qrsd_"  # begins the name of what recorded a BDF or EDF file
IN_EDF = re.compile(rf"{OURS}(\w+)_UTC")
IN_TEXT = re.compile(r"# recorded by qrsd from (\w+); begins (\S+)")
