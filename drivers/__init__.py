"""The chip: the ADS1292R driver, the Raspberry Pi it sits on, and a simulator of both."""
