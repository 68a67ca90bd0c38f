"""The public protocol: messages, the sockets that carry them, and who may come in."""
