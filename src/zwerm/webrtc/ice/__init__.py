"""ICE (RFC 8445): finds a path between two agents, keeps it, and finds another one when it breaks (docs/ice.md)."""
