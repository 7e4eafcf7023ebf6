"""Connections that browsers can make: WebRTC to a UDP address, with no signaling and no certificate authority."""
