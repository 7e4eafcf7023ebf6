"""The HTTP gateway without an HTTP server: a request in, a response out (specs.ipfs.tech/http-gateways)."""
