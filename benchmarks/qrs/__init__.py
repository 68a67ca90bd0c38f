"""``qrsd benchmark qrs``: the detector against expert annotations, its peers and its own past."""
