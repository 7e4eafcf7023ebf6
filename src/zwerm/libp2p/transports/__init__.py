"""The ways to another node; each gives a connection that is authenticated and carries many streams."""
