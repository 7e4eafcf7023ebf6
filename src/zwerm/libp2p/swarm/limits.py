"""What a swarm may grow to. Each limit refuses, names itself and leaves the others as they are."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one swarm. The defaults are those of a node that shares a machine with other work."""

    connections: int = 1_024  # open at once; more are closed as soon as they are there
    high_water: int = 256  # connections past which the least useful are closed
    low_water: int = 160  # connections that are left then
    grace: float = 20.0  # seconds that a new connection has to show what it is good for
    connections_per_peer: int = 8  # both sides dialling at once gives two; more is a peer that does not close

    dials: int = 256  # peers that are dialled at once; a look-up in the DHT asks for ten
    attempts: int = 128  # addresses tried at once by all dials; each is a socket
    attempts_per_dial: int = 8  # addresses of one peer tried at once
    addresses_per_dial: int = 64  # addresses of one peer that are tried at all
    dial_time: float = 15.0  # seconds for one address, with the handshakes
    stagger: float = 0.25  # seconds until the next address is tried beside one that did not answer (RFC 8305)
    backoff: float = 5.0  # seconds that an address which failed is left alone; doubles with each failure
    backoff_most: float = 300.0  # seconds that it doubles up to

    upload: float | None = None  # bytes per second of all streams; None: no cap
    download: float | None = None

    negotiation_time: float = 10.0  # seconds to agree on the protocol of a stream that we open
    naming_time: float = 90.0  # seconds that a peer may take to name that of one it opened: links are away for a minute
    streams: int = 16_384  # open at once on all connections
    streams_per_peer: int = 1_024  # opened by one peer and still open
    streams_per_protocol: int = 512  # of one protocol, opened by one peer and still open

    peers_remembered: int = 16_384  # in the peer store
    addresses_per_peer: int = 32  # in the peer store
    protocols_per_peer: int = 256  # names that a peer may say it speaks
