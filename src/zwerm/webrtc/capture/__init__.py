"""Captures: what a connection sent and received, as files that Wireshark reads. See `docs/captures.md`."""
