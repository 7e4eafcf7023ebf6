"""DTLS 1.2 for WebRTC (RFC 6347, RFC 8827): OpenSSL's handshake as a machine, and a record layer of our own."""
