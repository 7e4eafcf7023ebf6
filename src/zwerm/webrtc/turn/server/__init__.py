"""The TURN server as a machine: who is let in, what they may have, and what is carried for them."""
