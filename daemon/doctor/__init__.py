"""``qrsd doctor``: checks from the settings to the electrodes, one after another.

walk       a check, its findings, and running one after another
visit      what all checks share: the machine's files and user, and what earlier checks found
software   settings, model, gallery, disk, sockets, and the service if it runs
computer   the Raspberry Pi: SPI, permissions, groups, clock, scheduling
board      the chip: its registers and its self tests
samples    ten seconds of samples, from the chip or from the service that has it
signal     what these say: DRDY, losses, channels, electrodes, mains
checks     all of them, in order
"""
