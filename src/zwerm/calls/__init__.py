"""Finding and ringing people: accounts, presence, ringing, rooms (docs/calls.md).

`schema.json` says what client and server write to each other and `message` reads it. `sessions`, `ringing` and `rooms`
are machines without I/O, joined in `switchboard`; `store` keeps what has to last; `service` answers requests with both.
Who carries the messages, a web socket or an HTTP request, is the affair of `zwerm.daemon.calls`.
"""
