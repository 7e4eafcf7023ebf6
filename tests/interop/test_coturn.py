"""coturn's clients against our server, and our client against coturn's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.interop.coturn import echo_peer, figure, free_ports, run, turnserver
from tests.webrtc.certificate import tls_contexts
from zwerm.webrtc.stun.address import IPV4
from zwerm.webrtc.stun.aio import StunService, ask, discover
from zwerm.webrtc.stun.behaviour import Behaviour
from zwerm.webrtc.stun.server import ServerConfig
from zwerm.webrtc.stun.uri import ServerUri, Transport
from zwerm.webrtc.turn.aio import Allocation, TurnFailed
from zwerm.webrtc.turn.config import AllocationConfig
from zwerm.webrtc.turn.credentials import Credential, Users, time_limited
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.aio import ServiceConfig, TurnService
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ALICE = Credential("alice", "wonder")
USERS = Users("zwerm", {"alice": "wonder"}, ("north",))
SERVER_TLS, _ = tls_contexts("127.0.0.1")


@pytest.fixture
async def service() -> AsyncIterator[TurnService]:
    config = TurnServerConfig(
        (("127.0.0.1", 0),), (RelayHost("127.0.0.1"),), peers=PeerPolicy([parse_network("127.0.0.0/8")])
    )
    service = TurnService(config, USERS, ServiceConfig(SERVER_TLS, (("127.0.0.1", 0),)))
    await service.start()
    yield service
    await service.close()


def port_of(service: TurnService, transport: Transport = Transport.UDP) -> str:
    return str(next(address[1] for kind, address in service.addresses if kind is transport))


def check_relayed(service: TurnService, written: str) -> None:
    """All that the client sent went to the peer; of what came back it counts only what came before it lost patience."""
    traffic = service.statistics().traffic
    assert traffic.datagrams_to_peers == figure("tot_send_msgs", written), (traffic, written)
    assert 0 < figure("tot_recv_msgs", written) <= traffic.datagrams_to_clients
    assert (traffic.dropped_unknown, traffic.dropped_over_rate) == (0, 0)


@pytest.mark.parametrize(
    ("options", "transport"),
    [
        ([], Transport.UDP),
        (["-s"], Transport.UDP),
        (["-t"], Transport.TCP),
        (["-t", "-s"], Transport.TCP),
        (["-t", "-S"], Transport.TLS),
        (["-g", "-s"], Transport.UDP),
    ],
    ids=["channels, UDP", "indications, UDP", "channels, TCP", "indications, TCP", "channels, TLS", "whole, UDP"],
)
async def test_coturns_client_is_relayed_by_us(service: TurnService, options: list[str], transport: Transport) -> None:
    async with echo_peer() as peer:
        written = await run(
            "turnutils_uclient", *options, "-u", "alice", "-w", "wonder", "-X", "-e", "127.0.0.1", "-r", str(peer),
            "-m", "2", "-n", "10", "-l", "500", "-p", port_of(service, transport), "127.0.0.1",
        )  # fmt: skip
    check_relayed(service, written)


async def test_two_clients_of_coturn_meet_at_our_server(service: TurnService) -> None:
    options = ["-y", "-u", "alice", "-w", "wonder", "-m", "2", "-n", "10", "-p", port_of(service)]
    written = await run("turnutils_uclient", *options, "127.0.0.1")
    check_relayed(service, written)


async def test_coturns_client_comes_in_with_a_time_limited_name(service: TurnService) -> None:
    async with echo_peer() as peer:
        written = await run(
            "turnutils_uclient", "-u", "carol", "-W", "north", "-e", "127.0.0.1", "-r", str(peer),
            "-m", "1", "-n", "5", "-p", port_of(service), "127.0.0.1",
        )  # fmt: skip
    check_relayed(service, written)


async def test_coturns_client_with_a_wrong_password_is_refused(service: TurnService) -> None:
    written = await run(
        "turnutils_uclient", "-u", "alice", "-w", "wrong", "-e", "127.0.0.1", "-m", "1", "-n", "5",
        "-p", port_of(service), "127.0.0.1",
    )  # fmt: skip
    assert "Cannot complete Allocation" in written
    assert service.statistics().allocations == 0


async def test_coturns_stun_client_is_told_its_address(service: TurnService) -> None:
    assert "UDP reflexive addr: 127.0.0.1:" in await run("turnutils_stunclient", "-p", port_of(service), "127.0.0.1")


async def test_coturns_discovery_finds_no_nat_before_our_server() -> None:
    port, other = free_ports(2)
    stun = StunService(ServerConfig(("127.0.0.1", port), ("127.0.0.2", other)))
    await stun.start()
    try:
        written = await run("turnutils_natdiscovery", "-m", "-f", "-p", str(port), "127.0.0.1")
    finally:
        await stun.close()
    assert "NAT with Endpoint Independent Mapping" in written or "No NAT" in written
    assert "Endpoint Independent Filtering" in written


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_we_are_relayed_by_coturn(tmp_path: Path, transport: str) -> None:
    async with asyncio.timeout(60), turnserver(tmp_path) as port, echo_peer() as peer:
        uri = ServerUri.from_text(f"turn:127.0.0.1:{port}?transport={transport}")
        async with await Allocation.open(uri, ALICE) as allocation:
            await allocation.permit("127.0.0.1")
            for with_channel in (False, True):
                if with_channel:
                    await allocation.bind_channel(("127.0.0.1", peer))
                for size in (1, 3, 1_200):
                    allocation.send(b"x" * size, ("127.0.0.1", peer))
                    assert await allocation.receive() == (b"x" * size, ("127.0.0.1", peer))


async def test_two_of_us_meet_at_coturn(tmp_path: Path) -> None:
    async with asyncio.timeout(60), turnserver(tmp_path) as port:
        uri = ServerUri.from_text(f"turn:127.0.0.1:{port}")
        async with await Allocation.open(uri, ALICE) as one, await Allocation.open(uri, ALICE) as other:
            await one.permit(other.relayed[0][0])
            await other.permit(one.relayed[0][0])
            one.send(b"hello", other.relayed[0])
            assert await other.receive() == (b"hello", one.relayed[0])


async def test_coturn_gives_an_even_port_and_keeps_the_next(tmp_path: Path) -> None:
    async with asyncio.timeout(60), turnserver(tmp_path) as port:
        uri = ServerUri.from_text(f"turn:127.0.0.1:{port}")
        config = AllocationConfig(even_port=True, family=IPV4)
        async with await Allocation.open(uri, ALICE, config) as allocation:
            assert allocation.relayed[0][1] % 2 == 0


async def test_coturns_refusals_are_understood(tmp_path: Path) -> None:
    async with asyncio.timeout(60), turnserver(tmp_path, "--denied-peer-ip", "127.0.0.5") as port:
        uri = ServerUri.from_text(f"turn:127.0.0.1:{port}")
        with pytest.raises(TurnFailed, match="password is wrong"):
            await Allocation.open(uri, Credential("alice", "wrong"))
        async with await Allocation.open(uri, ALICE) as allocation:
            with pytest.raises(TurnFailed) as refused:
                await allocation.permit("127.0.0.5")
            assert refused.value.failure.code == 403


async def test_a_time_limited_name_of_ours_opens_coturn(tmp_path: Path) -> None:
    async with asyncio.timeout(60), turnserver(tmp_path, "--use-auth-secret", "--static-auth-secret", "north") as port:
        credential = time_limited("north", "carol", 1_999_999_999)
        async with await Allocation.open(ServerUri.from_text(f"turn:127.0.0.1:{port}"), credential) as allocation:
            assert allocation.relayed


async def test_coturn_tells_us_that_nothing_stands_between(tmp_path: Path) -> None:
    (other,) = free_ports(1)
    async with (
        asyncio.timeout(60),
        turnserver(tmp_path, "-L", "127.0.0.2", "--alt-listening-port", str(other)) as port,
    ):
        uri = ServerUri.from_text(f"stun:127.0.0.1:{port}")
        assert (await ask(uri)).mapped[0] == "127.0.0.1"
        behaviour = await discover(uri)
    assert not behaviour.is_translated
    assert behaviour.filtering is Behaviour.ENDPOINT_INDEPENDENT
