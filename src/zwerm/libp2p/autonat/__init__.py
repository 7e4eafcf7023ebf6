"""Whether a node can be reached from outside, found out by asking others to dial it (libp2p specs, autonat)."""
