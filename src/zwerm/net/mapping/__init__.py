"""Ports of a NAT that lead to this machine: PCP (RFC 6887), and NAT-PMP (RFC 6886) with a box that knows only that."""
