"""The server's side of the PeerJS protocol: peers with an ID each pass descriptions and candidates to each other.

A peer comes with ID, token and key, and is told OPEN, or ID-TAKEN when somebody with another token has the ID. OFFER,
ANSWER and CANDIDATE go to the peer that `dst` names, with `src` written by us; for one that is not there they are kept
for `keep` seconds, after which the sender hears EXPIRE. LEAVE is passed on to whoever is there. HEARTBEAT says that a
peer lives. Nothing lasts, and nobody has an account: whoever knows an ID can ring it.
"""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

from zwerm.calls.alarms import Alarms
from zwerm.calls.limits import Buckets, Rate
from zwerm.core.machine import Instant

KEY: Final = "peerjs"  # of clients that name no other
KEPT: Final = frozenset(("OFFER", "ANSWER", "CANDIDATE"))  # for a peer that is not there yet
PASSED: Final = KEPT | {"LEAVE", "EXPIRE"}

_ID: Final = re.compile(r"[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,64}")


class PeerConfig(NamedTuple):
    """Limits and times; times in seconds."""

    key: str = KEY
    keep: float = 5.0  # a message for a peer that is not there
    alive: float = 90.0  # without a heartbeat; they come every 5 s, from a page in the background every 60
    peers: int = 5_000
    peers_of_host: int = 256  # a school behind one address
    id_size: int = 64
    kept_for_one: int = 64  # messages: an offer and its candidates
    kept: int = 5_000
    outbox: int = 512  # messages for a peer that does not read
    rate: Rate = Rate(200, 50.0)  # messages of one peer


class PeerSay(NamedTuple):
    """Send this text on a connection."""

    connection: str
    text: str


class PeerCut(NamedTuple):
    """Close a connection when what was said before has gone."""

    connection: str


PeerEvent: TypeAlias = PeerSay | PeerCut


class _Peer:
    __slots__ = ("connection", "host", "id", "token")

    def __init__(self, peer_id: str, token: str, connection: str, host: str) -> None:
        self.id = peer_id
        self.token = token
        self.connection = connection
        self.host = host


class PeerRealm:
    """All peers of one server."""

    def __init__(self, config: PeerConfig | None = None) -> None:
        self._config = config or PeerConfig()
        self._peers: dict[str, _Peer] = {}  # by ID
        self._by_connection: dict[str, _Peer] = {}
        self._of_host: dict[str, int] = {}
        self._waiting: dict[str, list[dict[str, Any]]] = {}  # messages by the ID they are for
        self._kept = 0
        self._alarms = Alarms()  # "alive ID", "keep ID"
        self._rates = Buckets(self._config.peers)
        self._events: deque[PeerEvent] = deque()

    def connect(self, connection: str, peer_id: str, token: str, key: str, host: str, now: Instant) -> None:
        """Take a connection, or send it away. All texts are untrusted."""
        config = self._config
        if key != config.key:
            self._send_away(connection, "Invalid key provided")
        elif len(peer_id) > config.id_size or not _ID.fullmatch(peer_id) or not _TOKEN.fullmatch(token):
            self._send_away(connection, "No id, token, or key supplied to websocket server")
        elif (old := self._peers.get(peer_id)) is not None and old.token != token:
            self._say(connection, {"type": "ID-TAKEN", "payload": {"msg": "ID is taken"}})
            self._events.append(PeerCut(connection))
        elif old is None and (len(self._peers) >= config.peers or self._of_host.get(host, 0) >= config.peers_of_host):
            self._send_away(connection, "Server has reached its concurrent user limit")
        else:
            self._open(connection, peer_id, token, host, now)

    def _open(self, connection: str, peer_id: str, token: str, host: str, now: Instant) -> None:
        if (old := self._peers.get(peer_id)) is not None:
            self._events.append(PeerCut(old.connection))
            self._remove(old)
        peer = _Peer(peer_id, token, connection, host)
        self._peers[peer_id] = self._by_connection[connection] = peer
        self._of_host[host] = self._of_host.get(host, 0) + 1
        self._alarms.set(f"alive {peer_id}", now + self._config.alive)
        self._say(connection, {"type": "OPEN"})
        for message in self._take_waiting(peer_id):
            self._say(connection, message)

    def receive(self, connection: str, text: str, now: Instant) -> None:
        """Take a message. One that means nothing is dropped, as PeerJS' own server does."""
        peer = self._by_connection.get(connection)
        if peer is None or self._rates.take("messages", connection, self._config.rate, now):
            return
        message = _parse(text)
        if message is None:
            return
        self._alarms.set(f"alive {peer.id}", now + self._config.alive)
        kind, to = message["type"], message["dst"]
        if kind not in PASSED:
            return  # a heartbeat among them
        if not to:
            if kind == "LEAVE":
                self._events.append(PeerCut(connection))
                self._remove(peer)
            return
        message["src"] = peer.id
        if (other := self._peers.get(to)) is not None:
            self._say(other.connection, message)
        elif kind in KEPT:
            self._keep(peer, to, message, now)

    def _keep(self, peer: _Peer, to: str, message: dict[str, Any], now: Instant) -> None:
        mine = self._waiting.get(to, [])
        if len(mine) >= self._config.kept_for_one or self._kept >= self._config.kept:
            self._expire(peer.id, to)
            return
        self._waiting.setdefault(to, mine).append(message)
        self._kept += 1
        if len(mine) == 1:
            self._alarms.set(f"keep {to}", now + self._config.keep)

    def lost(self, connection: str) -> None:
        """A connection is over."""
        if (peer := self._by_connection.get(connection)) is not None:
            self._remove(peer)

    def _remove(self, peer: _Peer) -> None:
        del self._peers[peer.id], self._by_connection[peer.connection]
        self._alarms.cancel(f"alive {peer.id}")
        self._of_host[peer.host] -= 1
        if not self._of_host[peer.host]:
            del self._of_host[peer.host]

    def _take_waiting(self, peer_id: str) -> list[dict[str, Any]]:
        self._alarms.cancel(f"keep {peer_id}")
        found = self._waiting.pop(peer_id, [])
        self._kept -= len(found)
        return found

    def _expire(self, sender: str, to: str) -> None:
        if (peer := self._peers.get(sender)) is not None:
            self._say(peer.connection, {"type": "EXPIRE", "src": to, "dst": sender})

    def _send_away(self, connection: str, why: str) -> None:
        self._say(connection, {"type": "ERROR", "payload": {"msg": why}})
        self._events.append(PeerCut(connection))

    def _say(self, connection: str, message: dict[str, Any]) -> None:
        self._events.append(PeerSay(connection, json.dumps(message, separators=(",", ":"))))

    def handle_timeout(self, now: Instant) -> None:
        """Give up who does not live, and what nobody came for."""
        while (alarm := self._alarms.pop(now)) is not None:
            kind, _, peer_id = alarm.partition(" ")
            if kind == "alive":
                peer = self._peers[peer_id]
                self._events.append(PeerCut(peer.connection))
                self._remove(peer)
            else:
                for sender in dict.fromkeys(str(each["src"]) for each in self._take_waiting(peer_id)):
                    self._expire(sender, peer_id)

    def next_timeout(self) -> Instant | None:
        return self._alarms.next_timeout()

    def next_event(self) -> PeerEvent | None:
        return self._events.popleft() if self._events else None

    @property
    def kept(self) -> int:
        """How many messages wait."""
        return self._kept

    def __len__(self) -> int:
        return len(self._peers)


def _parse(text: str) -> dict[str, Any] | None:
    """Read a message, of which type, destination and payload go on; None when it is none."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        return None
    to = found.get("dst")
    message: dict[str, Any] = {"type": found["type"], "dst": to if isinstance(to, str) and len(to) <= 64 else ""}
    if "payload" in found:
        message["payload"] = found["payload"]
    return message


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
