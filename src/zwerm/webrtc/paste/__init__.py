"""Connecting by two short texts that people carry (docs/connect.md): what is in one, and how it is written."""
