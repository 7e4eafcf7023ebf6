"""HTTP/1.1 servers on aiohttp's protocol, with lean requests and responses of our own.

`exchange` is one request and its answer; `server` a listener and its connections; `multipart` and `upload` what comes
in; `sendfile` what goes out from the disk. `rpc`, `gateway` and `web` are the three listeners. Responses are written to
the transport by us: trailers, sendfile and speed ask for it. Parsing of requests stays aiohttp's.
"""
