"""TURN (RFC 8656): a relay for those who cannot reach each other, as client and as server."""
