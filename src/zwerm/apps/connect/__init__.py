"""Two people without a server: a code each, then chat and files, over one link after the other (docs/connect.md)."""
