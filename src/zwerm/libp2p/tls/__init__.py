"""TLS 1.3 as libp2p uses it: self-signed certificates that carry and prove the identity key."""
