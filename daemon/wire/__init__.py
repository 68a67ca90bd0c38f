"""The public protocol: messages, the ZeroMQ sockets that carry them, and CURVE access control."""
