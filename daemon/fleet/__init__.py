"""The devices of a site as one: people, figures and models, over NATS JetStream.

An app on the service's public protocol, in a process of its own: the service waits for none of it.
"""
