"""The command line: one file a command in `commands/`, no logic; a daemon or the repository itself does the work."""
