"""What the options of `zwerm turn` come to."""

import json

import pytest

from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.daemon.turn.options import (
    TurnOptions,
    external_address,
    host_and_port,
    ice_servers,
    make_config,
    make_users,
    server_uris,
)
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.credentials import Credential, Users
from zwerm.webrtc.turn.server.aio import TurnService
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig

LISTEN = ("127.0.0.1:5000",)


def test_it_listens_where_it_is_told_to_and_relays_from_there() -> None:
    config = make_config(TurnOptions(listen=LISTEN), None)
    assert config.listening == (("127.0.0.1", 5_000),)
    assert config.relays == (RelayHost("127.0.0.1"),)
    assert config.ports == range(49_152, 65_536)
    assert "127.0.0.1" in config.own


def test_the_unspecified_address_is_each_of_this_machine() -> None:
    config = make_config(TurnOptions(listen=("0.0.0.0:0",)), None)
    assert ("127.0.0.1", 0) in config.listening
    assert all(":" not in host and host != "0.0.0.0" for host, _ in config.listening)


def test_an_outside_address_is_announced_and_its_own_is_not_relayed_to() -> None:
    config = make_config(TurnOptions(listen=LISTEN), "203.0.113.5")
    assert config.relays == (RelayHost("127.0.0.1", "203.0.113.5"),)
    assert {"127.0.0.1", "203.0.113.5"} <= config.own_hosts()
    uris = server_uris(
        [(Transport.TCP, ("127.0.0.1", 1)), (Transport.UDP, ("127.0.0.1", 1))], {"127.0.0.1": "203.0.113.5"}
    )
    assert [str(uri) for uri in uris] == ["turn:203.0.113.5:1", "turn:203.0.113.5:1?transport=tcp"]


def test_ranges_are_opened_and_nothing_else() -> None:
    policy = make_config(TurnOptions(listen=LISTEN, allow_peers=("10.1.0.0/16",)), None).peers
    assert policy.allows("10.1.2.3")
    assert not policy.allows("10.2.0.1")


@pytest.mark.parametrize(
    "options",
    [
        TurnOptions(listen=("localhost",)),
        TurnOptions(listen=("127.0.0.1:x",)),
        TurnOptions(listen=("127.0.0.1:70000",)),
        TurnOptions(listen=LISTEN, allow_peers=("127.1",)),
        TurnOptions(listen=LISTEN, ports="1"),
        TurnOptions(listen=LISTEN, ports="9-8"),
    ],
    ids=["name", "port", "large port", "spelling", "one port", "no ports"],
)
def test_what_cannot_be_is_named(options: TurnOptions) -> None:
    with pytest.raises(LocalProtocolError):
        make_config(options, None)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(TransportError, match="no address of this machine"):
        make_config(TurnOptions(listen=("203.0.113.1:5000",)), None)


def test_users_are_given_or_made() -> None:
    users, credential = make_users(TurnOptions(users=("alice:won:der", "bob:builder")))
    assert credential == Credential("alice", "won:der")
    assert users.passwords("bob", 0.0) == ("builder",)
    _, made = make_users(TurnOptions())
    assert made.username == "zwerm"
    assert made.password != make_users(TurnOptions())[1].password
    users, limited = make_users(TurnOptions(secret="north"))
    assert limited.username.endswith(":web")
    with pytest.raises(LocalProtocolError, match="expected NAME:PASSWORD"):
        make_users(TurnOptions(users=("alice",)))


async def test_the_outside_address_is_typed_or_asked_for() -> None:
    assert await external_address(None) is None
    assert await external_address("203.0.113.5") == "203.0.113.5"
    with pytest.raises(LocalProtocolError):
        await external_address("example.org")
    service = TurnService(
        TurnServerConfig((("127.0.0.1", 0),), (RelayHost("127.0.0.1"),)), Users("zwerm", {"alice": "wonder"})
    )
    await service.start()
    try:
        assert await external_address(f"stun:127.0.0.1:{service.addresses[0][1][1]}") == "127.0.0.1"
    finally:
        await service.close()


def test_what_is_printed_can_be_pasted() -> None:
    uris = server_uris([(Transport.UDP, ("127.0.0.1", 1))], {})
    document = json.loads(json.dumps(ice_servers(uris, Credential("alice", "wonder"))))
    assert document == {"iceServers": [{"urls": ["turn:127.0.0.1:1"], "username": "alice", "credential": "wonder"}]}


def test_workers_have_ports_of_their_own_and_parts_of_the_limits() -> None:
    options = TurnOptions(listen=LISTEN, ports="50000-50099", workers=3, total_bytes_per_second=3_000)
    configs = [make_config(options, None, worker) for worker in range(3)]
    ports = [port for config in configs for port in config.ports]
    assert ports == list(range(50_000, 50_100))
    assert [config.ports.start % 2 for config in configs] == [0, 0, 0]
    assert {config.siblings for config in configs} == {range(50_000, 50_100)}
    assert {config.total_bytes_per_second for config in configs} == {1_000}
    assert {config.max_allocations for config in configs} == {10_000}
    assert {config.max_failures for config in configs} == {7}
    with pytest.raises(LocalProtocolError, match="--workers"):
        make_config(TurnOptions(listen=LISTEN, workers=0), None)


def test_an_address_with_its_port_is_read() -> None:
    assert host_and_port("[::1]:5", "listen") == ("::1", 5)
    assert host_and_port("::1", "listen") == ("::1", 3_478)
    assert host_and_port(":7", "metrics") == ("", 7)
    with pytest.raises(LocalProtocolError, match="--metrics is 'here'"):
        host_and_port("here", "metrics")
