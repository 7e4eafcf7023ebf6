"""ping: whether a peer is there, and how long a word to it and back takes."""
