"""The subcommands of ``qrsd``, one file per family."""
