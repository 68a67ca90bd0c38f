"""A simulated ADS1292R on a simulated board, which the real driver runs against unchanged.

It must be asked for by name, and everything made from its samples says that it is simulated.
"""
