"""How well people are known again whom the network never saw, in terms of ISO/IEC 19795-1."""
