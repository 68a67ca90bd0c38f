"""The process without numpy: from the driver to a pipe, and that pipe as the service sees it."""
