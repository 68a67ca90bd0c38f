"""The service: one loop between acquisition and the sockets, and what it works with."""
