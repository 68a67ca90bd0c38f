"""A simulated ADS1292R on a simulated board, which the real driver runs against unchanged.

It must be asked for by name, and everything made from its samples says that it is simulated.
"""

from drivers.simulator.board import open_simulated_board
from drivers.simulator.options import SimulatorOptions

__all__ = ["SimulatorOptions", "open_simulated_board"]
