"""Circuit relay v2: reaching a node that nobody can dial through one that everybody can (libp2p specs, circuit-v2)."""
