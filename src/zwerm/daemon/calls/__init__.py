"""The calls service on HTTP: web sockets, streams of events with POST, and the service as a process of its own."""
