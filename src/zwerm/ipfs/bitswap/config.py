"""How much of everything: what a peer may ask for, what is asked of one, how long is waited."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class ServerConfig:
    """How blocks are given."""

    wants: int = 1_024  # lines kept of one peer's wantlist, as Kubo keeps; more are answered with DONT_HAVE
    peers: int = 4_096  # whose wantlists are kept; with more, new ones are not answered
    ledgers: int = 4_096  # peers remembered with what was exchanged; those of longest ago are forgotten
    message: int = 1_048_576  # bytes of blocks in one message: few large writes, and four fit the largest message
    first: int = 262_144  # bytes of blocks in one message while it is not known how fast a peer takes them
    worth: float = 0.5  # seconds that a message to a slow peer may take: what breaks off in its middle came for nothing
    at_once: int = 3  # messages under way to one peer, on streams of their own: Kubo works on each by itself
    presences: int = 2_048  # answers in one message
    answers: int = 4_096  # presences that wait for one peer; with more, they are not given
    in_flight: int = 32 * 1_048_576  # bytes of blocks read and not yet taken by the network, over all peers
    small: int = 1_024  # bytes; a block no larger than this answers HAVE by itself, as in Kubo


@dataclasses.dataclass(frozen=True, slots=True)
class ClientConfig:
    """How blocks are asked for."""

    wants: int = 65_536  # blocks wanted at once, over all sessions
    sessions: int = 1_024  # that are open at once
    window: int = 8  # blocks asked of a peer at first, before it is known how fast it gives
    window_min: int = 4  # of a slow one: one is sent, and a lost packet may keep two that came from being told of
    window_max: int = 96  # of a fast one: 24 MiB of the usual leaves, a link of 1 Gbit/s and 200 ms
    ahead: float = 1.0  # seconds of its work that are asked of a peer
    broadcast: int = 32  # peers asked for the first blocks of a session
    offered: int = 16  # wants of a session that a peer is asked about when it comes into it
    session_peers: int = 64  # peers that one session asks
    patience: float = 10.0  # seconds without a byte after which what was asked of a peer is asked of another
    silence: float = 150.0  # seconds until a session gives up that has only silent peers, which may be behind a pause
    search_after: float = 1.0  # seconds without a block after which providers are looked for
    search_again: float = 10.0  # seconds until they are looked for again; doubled each time
    search_longest: float = 600.0  # seconds between two searches at most
    remembered: int = 16_384  # blocks that came lately: one that comes twice is no attack
    unasked: int = 8 * 1_048_576  # bytes of blocks nobody asked for that a peer may send before it is dropped
    peers: int = 4_096  # that may be asked
