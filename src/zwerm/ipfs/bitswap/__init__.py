"""Bitswap: blocks wanted, offered and sent between peers (ipfs/specs, "bitswap-protocol.md")."""
