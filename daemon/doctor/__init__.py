"""``qrsd doctor``: a walk from the settings to the skin, one check after another.

walk       what a check and its findings are, and how one leads to the next
visit      where the checks look: the machine's files and user, and what earlier checks found
software   settings, model, gallery, disk, sockets, and the service if it runs
computer   the Raspberry Pi: SPI, permissions, groups, clock, scheduling
board      the chip: its registers and its self tests
samples    ten seconds of samples, from the chip or from the service that has it
signal     what these say: DRDY, losses, channels, electrodes, mains
checks     all of them, in order
"""
