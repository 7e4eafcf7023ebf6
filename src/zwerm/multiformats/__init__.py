"""Self-describing values: varint, multibase, multihash, multicodec, CID, multiaddr (github.com/multiformats)."""
