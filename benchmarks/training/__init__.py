"""What ``qrsd train`` and the evaluations share: people's recordings, and the training's report."""
