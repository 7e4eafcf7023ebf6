"""Offers and answers as a machine: what is negotiated, what is pending, what is to be negotiated (RFC 9429)."""
