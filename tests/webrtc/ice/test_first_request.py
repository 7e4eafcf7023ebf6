"""A listener that knows only what a fragment looks like, as in libp2p webrtc-direct."""

from __future__ import annotations

import re

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.network import Wan
from tests.webrtc.ice.world import Peer, run_until
from zwerm.core.machine import Address
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.first_request import FirstRequestRule
from zwerm.webrtc.stun.attributes import PRIORITY, USERNAME
from zwerm.webrtc.stun.message import Method, request

UFRAG = "libp2p+webrtc+v1/abcdefghijklmnopqrstuv"
RULE = FirstRequestRule(re.compile(r"libp2p\+webrtc\+v1/[A-Za-z0-9]{8,64}"), lambda ufrag: ufrag)


def check(username: str = f"{UFRAG}:{UFRAG}", password: str = UFRAG, **options: bool) -> bytes:
    message = request(Method.BINDING, bytes(12), USERNAME(username), PRIORITY(1))
    return message.serialize(password.encode(), **options)


def test_a_dialer_connects_without_any_signaling_toward_the_listener() -> None:
    clock = VirtualClock()
    wan = Wan(clock)
    listening = wan.host("198.51.100.7").socket(4_001)
    served: dict[Address, Peer] = {}

    def receive(data: bytes, source: Address) -> None:
        if source not in served:
            first = RULE.match_untrusted(data)
            assert first is not None
            peer = Peer(clock, [], Role.CONTROLLED, Config(), name="listener", credentials=first.local)
            served[source] = peer
            peer.sockets[listening.address] = listening
            peer.do(peer.agent.add_local_address, listening.address)
            peer.gather()
            peer.do(peer.agent.set_remote, first.remote)
        peer = served[source]
        peer.do(lambda now: peer.agent.receive_datagram(data, source, now, local=listening.address))

    listening.on_receive = receive
    credentials = Credentials(UFRAG, UFRAG)
    dialer = Peer(clock, [wan.host("203.0.113.5")], Role.CONTROLLING, name="dialer", credentials=credentials)
    dialer.gather()
    dialer.do(dialer.agent.set_remote, credentials)
    candidate = "candidate:1 1 udp 2130706431 198.51.100.7 4001 typ host"
    dialer.do(dialer.agent.add_remote_candidate, dialer.gathered[0].from_text(candidate))
    run_until(clock, lambda: dialer.is_connected and all(peer.is_connected for peer in served.values()), 1.0)
    (listener,) = served.values()
    dialer.send(b"hello")
    listener.send(b"welcome")
    clock.run_for(0.1)
    assert (listener.data, dialer.data) == ([b"hello"], [b"welcome"])


def test_an_authentic_check_names_both_sides() -> None:
    first = RULE.match_untrusted(check())
    assert first is not None
    assert first.local == first.remote == Credentials(UFRAG, UFRAG)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x16\xfe\xfd",
        check(password="wrong"),
        check("other:other", "other"),
        check(f"{UFRAG}:x"),
        check(f"{UFRAG}"),
        check(fingerprint=False),
        request(Method.BINDING, bytes(12), USERNAME(f"{UFRAG}:{UFRAG}")).serialize(UFRAG.encode()),
    ],
    ids=["nothing", "dtls", "password", "pattern", "short sender", "no sender", "no fingerprint", "no priority"],
)
def test_anything_else_makes_no_agent(data: bytes) -> None:
    assert RULE.match_untrusted(data) is None
