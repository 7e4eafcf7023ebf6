"""Who has what, where a peer is, what a name points at: the ways to find out, and all of them as one."""
