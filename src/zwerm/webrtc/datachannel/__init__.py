"""Data channels over SCTP (RFC 8831) and the protocol that opens them (RFC 8832). See `docs/datachannel.md`."""
