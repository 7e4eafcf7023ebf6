"""Delegated routing V1 over HTTP (specs.ipfs.tech, "Delegated Routing V1 HTTP API"): asked, and answered."""
