"""Content: addressed by hash, verified, named, versioned, kept and shown (specs.ipfs.tech)."""
