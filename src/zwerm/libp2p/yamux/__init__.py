"""Yamux: many streams over one connection, each with its own window."""
