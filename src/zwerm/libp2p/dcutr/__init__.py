"""From a connection through a relay to a direct one (libp2p specs, relay/DCUtR.md)."""
