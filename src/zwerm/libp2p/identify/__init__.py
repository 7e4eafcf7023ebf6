"""identify: peers tell each other who they are, what they speak, where they listen and as whom they see the other."""
