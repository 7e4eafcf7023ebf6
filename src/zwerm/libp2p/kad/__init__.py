"""Kademlia as libp2p speaks it (libp2p specs, "kad-dht/README.md"; ipfs specs, "routing/kad-dht.md")."""
