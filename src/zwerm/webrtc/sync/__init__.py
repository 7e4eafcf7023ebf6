"""Shared state of games and the like over a channel that loses and reorders (docs/sync.md)."""
