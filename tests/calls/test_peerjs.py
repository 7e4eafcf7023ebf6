"""The machine of PeerJS: who gets what, who is refused, what expires, and that nothing grows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.check_machine import Subject, check_machine
from zwerm.calls.limits import Rate
from zwerm.calls.peerjs import PeerConfig, PeerCut, PeerEvent, PeerRealm, PeerSay
from zwerm.core.machine import Address, Instant


class Peers:
    """A realm and what it said on each connection."""

    def __init__(self, **config: Any) -> None:
        self.realm = PeerRealm(PeerConfig(**config))
        self.now = 100.0
        self.said: dict[str, list[dict[str, Any]]] = {}
        self.cut: list[str] = []

    def pump(self) -> None:
        while (event := self.realm.next_event()) is not None:
            match event:
                case PeerSay(connection, text):
                    self.said.setdefault(connection, []).append(json.loads(text))
                case PeerCut(connection):
                    self.cut.append(connection)

    def connect(self, connection: str, peer: str, token: str = "t0ken", key: str = "peerjs", host: str = "h") -> None:
        self.realm.connect(connection, peer, token, key, host, self.now)
        self.pump()

    def send(self, connection: str, kind: str, to: Any = None, **fields: Any) -> None:
        self.send_text(connection, json.dumps({"type": kind, "dst": to, **fields}))

    def send_text(self, connection: str, text: str) -> None:
        self.realm.receive(connection, text, self.now)
        self.pump()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.realm.handle_timeout(self.now)
        self.pump()

    def take(self, connection: str) -> list[dict[str, Any]]:
        return self.said.pop(connection, [])


def pair(**config: Any) -> Peers:
    peers = Peers(**config)
    peers.connect("c1", "ann")
    peers.connect("c2", "bob")
    assert peers.take("c1") == peers.take("c2") == [{"type": "OPEN"}]
    return peers


@pytest.mark.parametrize("kind", ["OFFER", "ANSWER", "CANDIDATE", "LEAVE", "EXPIRE"])
def test_a_message_goes_to_whom_it_is_for_in_the_name_of_who_sent_it(kind: str) -> None:
    peers = pair()
    peers.send("c1", kind, "bob", src="eve", payload={"sdp": "v=0"}, more=1)
    assert peers.take("c2") == [{"type": kind, "src": "ann", "dst": "bob", "payload": {"sdp": "v=0"}}]
    assert peers.take("c1") == []


def test_what_is_for_somebody_who_comes_in_time_waits_in_order() -> None:
    peers = pair()
    for number in range(3):
        peers.send("c1", "OFFER" if not number else "CANDIDATE", "carl", payload=number)
    peers.wait(4.9)
    peers.connect("c3", "carl")
    assert [each.get("payload") for each in peers.take("c3")] == [None, 0, 1, 2]
    peers.wait(10)
    assert peers.take("c1") == []
    assert peers.realm.kept == 0


def test_what_nobody_comes_for_expires_once_for_each_sender() -> None:
    peers = pair()
    for connection in ("c1", "c1", "c2"):
        peers.send(connection, "OFFER", "carl", payload=1)
    peers.send("c1", "LEAVE", "carl")
    peers.wait(5)
    assert peers.take("c1") == [{"type": "EXPIRE", "src": "carl", "dst": "ann"}]
    assert peers.take("c2") == [{"type": "EXPIRE", "src": "carl", "dst": "bob"}]


def test_an_id_belongs_to_its_token() -> None:
    peers = pair()
    peers.connect("c3", "ann", token="other")
    assert peers.take("c3") == [{"type": "ID-TAKEN", "payload": {"msg": "ID is taken"}}]
    assert peers.cut == ["c3"]
    peers.connect("c4", "ann")  # the same page, after a break
    assert peers.take("c4") == [{"type": "OPEN"}]
    assert peers.cut == ["c3", "c1"]
    peers.realm.lost("c1")
    peers.send("c2", "OFFER", "ann")
    assert [each["type"] for each in peers.take("c4")] == ["OFFER"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"peer": "ann", "key": "wrong"}, "Invalid key"),
        ({"peer": ""}, "No id"),
        ({"peer": "<script>"}, "No id"),
        ({"peer": "a" * 65}, "No id"),
        ({"peer": "ann", "token": ""}, "No id"),
        ({"peer": "ann", "token": "t" * 65}, "No id"),
    ],
    ids=["key", "no id", "markup", "long id", "no token", "long token"],
)
def test_who_does_not_say_who_they_are_is_sent_away(given: dict[str, str], words: str) -> None:
    peers = Peers()
    peers.connect("c1", **given)
    (said,) = peers.take("c1")
    assert (said["type"], said["payload"]["msg"][: len(words)]) == ("ERROR", words)
    assert peers.cut == ["c1"]
    assert len(peers.realm) == 0


def test_too_many_of_all_and_of_one_address_are_sent_away() -> None:
    peers = Peers(peers=3, peers_of_host=2)
    for number, host in enumerate(("a", "a", "a", "b", "c")):
        peers.connect(f"c{number}", f"p{number}", host=host)
    assert [each[0]["type"] for each in peers.said.values()] == ["OPEN", "OPEN", "ERROR", "OPEN", "ERROR"]
    peers.realm.lost("c0")
    peers.connect("c9", "p9", host="a")
    assert peers.take("c9") == [{"type": "OPEN"}]


def test_no_more_waits_for_one_or_for_all_than_the_limits_say() -> None:
    peers = pair(kept_for_one=2, kept=3)
    for to in ("x", "x", "x", "y", "y"):
        peers.send("c1", "OFFER", to)
    assert peers.realm.kept == 3
    assert [each["src"] for each in peers.take("c1")] == ["x", "y"]


def test_a_flood_is_dropped() -> None:
    peers = pair(rate=Rate(3, 1.0))
    for _ in range(9):
        peers.send("c1", "CANDIDATE", "bob")
    assert len(peers.take("c2")) == 3
    peers.wait(1)
    peers.send("c1", "CANDIDATE", "bob")
    assert len(peers.take("c2")) == 1


def test_who_says_nothing_is_given_up_and_a_heartbeat_says_enough() -> None:
    peers = pair()
    peers.wait(60)
    peers.send("c1", "HEARTBEAT")
    peers.wait(30)
    assert peers.cut == ["c2"]
    peers.wait(60)
    assert peers.cut == ["c2", "c1"]
    assert peers.realm.next_timeout() is None


def test_leaving_without_a_name_ends_the_connection() -> None:
    peers = pair()
    peers.send("c1", "LEAVE")
    assert (peers.cut, len(peers.realm)) == (["c1"], 1)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "1", "[" * 60_000, '{"type":1}', '{"type":"OFFER","dst":7}', '{"type":"OPEN","dst":"bob"}', "NaN",
     '{"type":"OFFER","dst":"bob","payload":NaN}'],
    ids=["cut off", "list", "number", "deep", "no type", "nobody", "ours", "nan", "nan inside"],
)  # fmt: skip
def test_what_is_no_message_is_dropped(text: str) -> None:
    peers = pair()
    peers.send_text("c1", text)
    assert (peers.said, peers.cut) == ({}, [])
    assert peers.realm.kept == 0


class Knocking:
    """A realm as the laws know machines: whoever sends from a new address comes in first."""

    def __init__(self) -> None:
        self._realm = PeerRealm(PeerConfig(peers=4))
        self._known: dict[str, str] = {}
        self._numbered = 0

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        if (connection := self._known.get(source[0])) is None:
            self._numbered += 1
            connection = self._known[source[0]] = f"c{self._numbered}"
            self._realm.connect(connection, f"peer{self._numbered % 3}", "t", "peerjs", source[0], now)
        self._realm.receive(connection, data.decode(errors="replace"), now)
        return True

    def leave(self) -> None:
        for connection in self._known.values():
            self._realm.lost(connection)
        self._known.clear()

    def handle_timeout(self, now: Instant) -> None:
        self._realm.handle_timeout(now)

    def next_transmit(self) -> None:
        return None

    def next_event(self) -> PeerEvent | None:
        return self._realm.next_event()

    def next_timeout(self) -> Instant | None:
        return self._realm.next_timeout()


def test_the_realm_keeps_the_laws_of_machines() -> None:
    check_machine(
        Subject(
            lambda now, random: Knocking(),
            valid=[
                b'{"type":"OFFER","dst":"peer1","payload":"x"}',
                b'{"type":"OFFER","dst":"nobody","payload":"x"}',
                b'{"type":"HEARTBEAT"}',
                b'{"type":"LEAVE"}',
            ],
            commands=[Knocking.leave],
        )
    )
