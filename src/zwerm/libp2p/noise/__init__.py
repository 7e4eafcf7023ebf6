"""The secure channel of libp2p's noise specification: a Noise XX handshake with identity keys, and its records."""
