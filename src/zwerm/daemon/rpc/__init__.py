"""The Kubo RPC commands as functions, one file a family; no HTTP in here (Kubo documentation, "RPC API").

`registry` says what a command is and finds them by path; `body` is what an upload looks like to a command; `errors`
how a failure is told. Three callers run the same functions: the HTTP server, the command line without a daemon, tests.
"""
