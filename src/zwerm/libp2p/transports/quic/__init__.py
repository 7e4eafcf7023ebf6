"""QUIC as libp2p uses it: `/udp/N/quic-v1` (docs/quic.md)."""
