"""The service: acquisition, pipeline, sockets and the qrsd command."""
