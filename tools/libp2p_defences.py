"""The defences of libp2p that `tools/defences.py` takes away: attack, module, what stands there, what would, tests."""

from __future__ import annotations

from typing import Final

_SWARM: Final = "swarm/swarm.py"
_LEDGER: Final = "swarm/ledger.py"
_UPGRADE: Final = "swarm/upgrade.py"
_HOSTILE: Final = "swarm/test_hostile.py"
_QUIC: Final = "transports/quic/"

ROWS: Final = (
    (
        "messages longer than their limit",
        "framing.py",
        'if value > limit:\n        raise WireError(f"message of {value}',
        'if False:\n        raise WireError(f"message of {value}',
        "test_framing.py",
    ),
    (
        "lengths of messages without end",
        "framing.py",
        "if value > limit or len(length) >= varint.MAX_SIZE:",
        "if False:",
        "test_framing.py",
    ),
    (
        "multistream lines and lengths without end",
        "multistream/message.py",
        "if not 0 < size <= MAX_LINE:",
        "if not 0 < size:",
        "multistream/test_message.py",
    ),
    (
        "multistream proposals without end",
        "multistream/negotiation.py",
        "elif self._proposals < MAX_PROPOSALS:",
        "elif True:",
        "multistream/test_negotiation.py",
    ),
    (
        "another identity than the one dialled",
        "secure.py",
        "if expected is not None and peer != expected:",
        "if False:",
        "transports/test_tcp.py",
    ),
    (
        "identify in parts without end",
        "identify/aio.py",
        "if len(parts) == MAX_PARTS:",
        "if False:",
        "identify/test_aio.py",
    ),
    (
        "identify with another's key",
        "identify/aio.py",
        "if not peer.matches(PublicKey.parse(encoded)):",
        "if False:",
        "identify/test_aio.py",
    ),
    (
        "identify with another's record",
        "identify/aio.py",
        "if record.peer != peer:",
        "if False:",
        "identify/test_aio.py",
    ),
    (
        "records that somebody else sealed",
        "identify/peer_record.py",
        "if record.peer != opened.peer_id:",
        "if False:",
        "identify/test_peer_record.py",
    ),
    (
        "addresses of ours that one peer invents",
        "identify/observations.py",
        "if count >= enough:",
        "if count >= 1:",
        "identify/test_observations.py",
    ),
    (
        "streams of one peer without end",
        _LEDGER,
        "self._check(self._by_peer[peer], self._limits.streams_per_peer,",
        "self._check(0, 1,",
        _HOSTILE,
    ),
    (
        "streams of one protocol without end",
        _LEDGER,
        "self._check(self._by_protocol[key], limit,",
        "self._check(0, 1,",
        _HOSTILE,
    ),
    (
        "connections without end",
        _SWARM,
        "count, limit = len(self.connections), self.limits.connections\n        if count >= limit:",
        "count, limit = len(self.connections), self.limits.connections\n        if False:",
        "swarm/test_swarm.py",
    ),
    (
        "connections of one peer without end",
        _SWARM,
        "self.limits.connections_per_peer\n        if count >= limit:",
        "self.limits.connections_per_peer\n        if False:",
        _HOSTILE,
    ),
    (
        "peers that are not on the list",
        _SWARM,
        'if not self.is_allowed(peer):\n            raise ResourceLimitError("not on',
        'if False:\n            raise ResourceLimitError("not on',
        _HOSTILE,
    ),
    (
        "handshakes without end",
        _UPGRADE,
        "if total >= limit:",
        "if False:",
        "transports/test_tcp.py",
    ),
    (
        "handshakes of one host without end",
        _UPGRADE,
        "if self._inbound[host] >= self._max_inbound_per_host:",
        "if False:",
        "transports/test_tcp.py",
    ),
    (
        "bytes that nobody reads, on many streams",
        "yamux/session.py",
        "elif self._budget.is_spent(self._unread, length) and not stream.is_discarding:",
        "elif False:",
        "transports/test_tcp.py",
    ),
    (
        "addresses of one peer without end",
        "swarm/peer_store.py",
        "if len(known.addresses) > self._limits.addresses_per_peer:",
        "if False:",
        "swarm/test_peer_store.py",
    ),
    (
        "name servers that lead on and on",
        "swarm/names.py",
        "if self._questions >= MAX_QUESTIONS:",
        "if False:",
        "swarm/test_names.py",
    ),
    (
        "QUIC handshakes of strangers without end",
        f"{_QUIC}admission.py",
        "if is_full or load.of_host >= config.max_handshakes_of_host:",
        "if False:",
        f"{_QUIC}test_admission.py",
    ),
    (
        "QUIC handshakes from addresses that are forged",
        f"{_QUIC}admission.py",
        "if load.handshakes < config.retry_from:",
        "if True:",
        f"{_QUIC}test_admission.py",
    ),
    (
        "QUIC answers to strangers without end",
        f"{_QUIC}admission.py",
        "return self._answers <= self._config.max_answers",
        "return True",
        f"{_QUIC}test_admission.py",
    ),
    (
        "QUIC tokens of others",
        f"{_QUIC}retry.py",
        "if not hmac.compare_digest(seal, self._seal(body, address, destination)):",
        "if False:",
        f"{_QUIC}test_retry.py",
    ),
    (
        "QUIC tokens used again later",
        f"{_QUIC}retry.py",
        "if now > _EXPIRY.unpack(body[: _EXPIRY.size])[0]:",
        "if False:",
        f"{_QUIC}test_retry.py",
    ),
    (
        "QUIC data that nobody reads",
        f"{_QUIC}gate.py",
        "if self.room <= 0:\n            return None",
        "if False:\n            return None",
        f"{_QUIC}test_session.py",
    ),
    (
        "a QUIC stream that nobody reads, in front of all others",
        f"{_QUIC}session.py",
        "self._timers.arm(Timer.STALL, self._now + self._config.stall_timeout)",
        "pass",
        f"{_QUIC}test_session.py",
    ),
    (
        "a QUIC handshake that is not gone on with",
        f"{_QUIC}session.py",
        "self._timers.arm(Timer.HANDSHAKE, now + config.handshake_timeout)",
        "pass",
        f"{_QUIC}test_session.py",
    ),
    (
        "a QUIC dialer that shows another's certificate",
        f"{_QUIC}tls.py",
        'raise tls.AlertDecryptError(self._refuse("the peer does not hold its certificate\'s key")) from None',
        "pass",
        f"{_QUIC}test_tls.py",
    ),
    (
        "a QUIC handshake message without end",
        f"{_QUIC}tls.py",
        "if len(self._receive_buffer) + len(input_data) > MAX_MESSAGE:",
        "if False:",
        f"{_QUIC}test_tls.py",
    ),
)
