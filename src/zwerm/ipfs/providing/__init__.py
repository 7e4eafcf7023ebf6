"""Telling the network what this node has, at once and again before it forgets."""
