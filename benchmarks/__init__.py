"""Takes the figures of README and docs/; of what is installed, only ``daemon.__main__`` imports it.

What somebody may want to know of recordings of their own is a part of ``qrsd benchmark``,
``evaluate`` or ``train``: ``commands``, and the packages that they use. What only a page quotes is
a module here, run by ``python -m benchmarks.NAME``; those without a ``main`` are parts of others.
"""
