"""IPNS: names that are keys, and the signed records that say where they point (specs.ipfs.tech, "IPNS Record")."""
