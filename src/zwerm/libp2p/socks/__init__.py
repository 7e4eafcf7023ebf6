"""SOCKS 5: connections that somebody else makes for us, as Tor does."""
