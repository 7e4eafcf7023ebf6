"""STUN (RFC 8489): messages, transactions, the server, and the discovery of NAT behaviour (RFC 5780)."""
