"""Multicast DNS (RFC 6762), as much of it as names for ICE candidates need: see `responder.py`."""
