"""Gossipsub 1.1 and 1.2: messages by topic, spread over a mesh that mends itself (libp2p specs, "pubsub/gossipsub")."""
