"""Binding: all addresses or none, and a message that helps."""

from __future__ import annotations

import socket

import pytest

from zwerm.core.errors import TransportError
from zwerm.daemon.http.sockets import PortsTaken, bind_all, bound_address
from zwerm.node.address import Address

FREE = Address("127.0.0.1", 0)


def close(bound: dict[str, list[socket.socket]]) -> None:
    for sockets in bound.values():
        for each in sockets:
            each.close()


def test_free_ports_are_found_out() -> None:
    bound = bind_all({"api": FREE, "web": FREE})
    addresses = {name: bound_address(sockets, FREE) for name, sockets in bound.items()}
    assert addresses["api"] != addresses["web"]
    assert all(address.port for address in addresses.values())
    close(bound)


def test_every_taken_port_is_named_and_the_others_are_given_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as probe:
        port, free = taken.getsockname()[1], probe.getsockname()[1]
        probe.close()
        wanted = {name: Address("127.0.0.1", port) for name in ("api", "web")} | {"gateway": Address("127.0.0.1", free)}
        with pytest.raises(PortsTaken, match=rf"127\.0\.0\.1:{port} \(api\), 127\.0\.0\.1:{port} \(web\) are in use"):
            bind_all(wanted)
        close(bind_all({"gateway": Address("127.0.0.1", free)}))


def test_one_port_twice_is_taken_by_ourselves() -> None:
    bound = bind_all({"api": FREE})
    address = bound_address(bound["api"], FREE)
    with pytest.raises(PortsTaken, match="is in use by another program; stop it, or add --port-offset 100"):
        bind_all({"web": address})
    close(bound)


def test_localhost_is_every_loopback_address_there_is() -> None:
    bound = bind_all({"web": Address("localhost", 0)})
    ports = {listener.getsockname()[1] for listener in bound["web"]}
    assert len(ports) == 1
    close(bound)


def test_an_address_of_another_machine_is_one_line() -> None:
    with pytest.raises(TransportError, match=r"cannot listen on 192\.0\.2\.1:1 \(api\): ") as caught:
        bind_all({"web": FREE, "api": Address("192.0.2.1", 1)})
    assert "\n" not in str(caught.value)
