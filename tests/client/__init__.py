"""`service.client`: against the description of the interface, and against a real server."""
