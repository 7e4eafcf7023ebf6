"""Nodes of one local network find each other by multicast DNS (libp2p specs, discovery/mdns.md)."""
