"""The fetch protocol: ask one peer for the value of one key (libp2p specs, "fetch")."""
