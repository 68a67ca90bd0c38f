"""The service and what is around it: files, protocol, programs beside it, the qrsd command."""
