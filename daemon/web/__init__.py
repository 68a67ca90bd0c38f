"""The web server: the page, the REST API and the live streams, from the service's messages."""
