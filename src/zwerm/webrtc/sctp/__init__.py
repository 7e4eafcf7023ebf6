"""SCTP over DTLS as a machine without I/O (RFC 9260, 8261, 8831). What is implemented: `docs/sctp.md`."""
