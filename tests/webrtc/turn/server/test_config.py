"""What a relay can be, and what not."""

import pytest

from tests.webrtc.turn.network import SERVER, config
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.config import RelayHost


@pytest.mark.parametrize(
    "changes",
    [
        {"listening": ()},
        {"relays": ()},
        {"relays": (RelayHost("192.0.2.1"), RelayHost("192.0.2.2"))},
        {"relays": (RelayHost("192.0.2.1", "2001:db8::1"),)},
        {"ports": range(50_000, 50_001)},
        {"ports": range(65_000, 65_537)},
        {"ports": range(100)},
        {"ports": range(1_000, 2_000, 2)},
    ],
    ids=["nowhere", "no relay", "two of a family", "two families", "one port", "too high", "port 0", "every other"],
)
def test_what_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        config(**changes)


def test_every_name_of_the_server_is_its_own_but_for_what_was_opened() -> None:
    made = config(relays=(RelayHost("10.0.0.5", "203.0.113.200"),), peers=PeerPolicy(), own=frozenset({"10.0.0.6"}))
    assert made.own_hosts() == {SERVER[0], "10.0.0.5", "10.0.0.6", "203.0.113.200"}
    opened = config(relays=(RelayHost("10.0.0.5"),), peers=PeerPolicy([parse_network("10.0.0.0/24")]))
    assert opened.own_hosts() == {SERVER[0]}
