"""What a person is told about a NAT."""

import pytest

from zwerm.webrtc.stun.behaviour import Behaviour, NatBehaviour

LOCAL, MAPPED = ("192.168.0.2", 5_000), ("203.0.113.1", 1_000)
INDEPENDENT, ADDRESS, PORT = Behaviour


@pytest.mark.parametrize(
    ("mapping", "filtering", "name", "meaning"),
    [
        (INDEPENDENT, INDEPENDENT, "full cone", "Anybody can reach you"),
        (INDEPENDENT, ADDRESS, "restricted cone", "with everybody, once both sides send"),
        (INDEPENDENT, PORT, "port-restricted cone", "all but those behind a symmetric NAT"),
        (ADDRESS, INDEPENDENT, "symmetric", "peers whose NAT is less strict"),
        (PORT, PORT, "symmetric", "peers whose NAT is less strict"),
    ],
)
def test_a_nat_is_named_and_explained(mapping: Behaviour, filtering: Behaviour, name: str, meaning: str) -> None:
    behaviour = NatBehaviour(LOCAL, MAPPED, mapping, filtering, has_hairpinning=True)
    words = " ".join(behaviour.in_words())
    assert behaviour.old_name == name
    assert f"once called {name}: the server sees 203.0.113.1:1000 instead of 192.168.0.2:5000." in words
    assert f"{mapping.value} mapping), and" in words
    assert meaning in words
    assert "can reach each other" in words


def test_no_nat() -> None:
    assert NatBehaviour(MAPPED, MAPPED, INDEPENDENT, INDEPENDENT).in_words() == [
        "You are not behind a NAT: the server sees your own address, 203.0.113.1:1000.",
        "Anybody can reach you directly.",
    ]


def test_a_firewall() -> None:
    words = NatBehaviour(MAPPED, MAPPED, INDEPENDENT, PORT).in_words()
    assert words[1].startswith("A firewall stands before you: only ports you sent to")


def test_what_is_not_known_is_not_said() -> None:
    assert NatBehaviour(LOCAL).in_words() == ["No answer came: UDP is blocked on the way, or nobody answers there."]
    assert NatBehaviour(LOCAL, MAPPED).in_words() == [
        "You are behind a NAT: the server sees 203.0.113.1:1000 instead of 192.168.0.2:5000.",
        "This server cannot tell how the way behaves: it has no second address (RFC 5780).",
    ]
    assert NatBehaviour(LOCAL, MAPPED, INDEPENDENT).old_name is None


def test_addresses_of_ipv6_and_pools() -> None:
    words = NatBehaviour(("fd00::1", 1), ("2001:db8::1", 2), PORT, PORT, pools_addresses=True).in_words()
    assert "[2001:db8::1]:2 instead of [fd00::1]:1" in words[0]
    assert "It uses several outside IP addresses at once." in words
