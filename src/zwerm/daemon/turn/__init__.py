"""The relay as a process, alone or in worker processes, and inside a node."""
