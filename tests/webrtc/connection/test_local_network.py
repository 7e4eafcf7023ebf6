"""Which addresses of a machine a connection uses."""

from __future__ import annotations

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.net.interfaces import InterfaceAddress
from zwerm.webrtc.connection.local_network import LocalNetwork


def one(interface: str, address: str, **kinds: bool) -> InterfaceAddress:
    known = {"is_loopback": False, "is_link_local": False, "is_temporary": False, "is_deprecated": False} | kinds
    return InterfaceAddress(interface, 1, address, 24, mtu=1_500, **known)


MACHINE = [
    one("eth0", "192.0.2.1"),
    one("eth0", "2001:db8::1"),
    one("eth0", "fe80::1", is_link_local=True),
    one("eth0", "2001:db8::2", is_deprecated=True),
    one("lo", "127.0.0.1", is_loopback=True),
    one("wlan0", "198.51.100.1"),
    one("wlan1", "198.51.100.1"),
]


@pytest.mark.parametrize(
    ("network", "hosts"),
    [
        (LocalNetwork(), ["192.0.2.1", "2001:db8::1", "198.51.100.1"]),
        (LocalNetwork(include_loopback=True), ["192.0.2.1", "2001:db8::1", "127.0.0.1", "198.51.100.1"]),
        (LocalNetwork(interfaces=("wlan0",)), ["198.51.100.1"]),
        (LocalNetwork(interfaces=("2001:db8::1", "fe80::1")), ["2001:db8::1"]),
        (LocalNetwork(interfaces=("lo",)), []),
        (LocalNetwork(interfaces=()), []),
    ],
    ids=["all", "with loopback", "by name", "by address", "loopback that is not wanted", "none"],
)
def test_addresses_are_chosen(network: LocalNetwork, hosts: list[str]) -> None:
    assert network.hosts(MACHINE) == hosts


def test_the_system_is_asked_where_nothing_is_given() -> None:
    assert "127.0.0.1" in LocalNetwork(include_loopback=True).hosts()


@pytest.mark.parametrize("ports", [(0, 5), (6, 5), (1, 65_536)])
def test_a_range_that_is_none_is_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(LocalProtocolError, match="expected two in order"):
        LocalNetwork(ports=ports)
