"""libp2p: who the peers are, how they are reached, and streams of named protocols between them."""
