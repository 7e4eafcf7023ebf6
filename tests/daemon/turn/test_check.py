"""A relay that tests itself says what is wrong, in words."""

import asyncio
import contextlib
import dataclasses
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import zwerm
from zwerm.daemon.turn import check as module
from zwerm.daemon.turn.check import Verdict, answers_outside, check, is_seen_as_announced, two_clients_meet
from zwerm.daemon.turn.options import TurnOptions
from zwerm.daemon.turn.relay import TurnRelay
from zwerm.webrtc.stun.uri import ServerUri, Service, Transport
from zwerm.webrtc.turn.credentials import Credential

OPTIONS = TurnOptions(listen=("127.0.0.1:0",), users=("alice:wonder",), allow_peers=("127.0.0.0/8",))


@contextlib.asynccontextmanager
async def running(**changes: object) -> AsyncIterator[TurnRelay]:
    relay = TurnRelay(dataclasses.replace(OPTIONS, **changes))  # type: ignore[arg-type]
    async with asyncio.timeout(60):
        await relay.start()
        try:
            yield relay
        finally:
            await relay.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTSIDE", 0.6)


def stun_uri(relay: TurnRelay) -> ServerUri:
    return ServerUri(Service.STUN, "127.0.0.1", relay.addresses[0][1][1], Transport.UDP)


async def test_two_clients_meet_or_the_reason_is_said() -> None:
    async with running() as relay:
        assert [str(finding) for finding in await check(relay)] == [
            "Self-test passed: two clients met through the relay"
        ]
        wrong = await two_clients_meet(relay.uris[0], Credential("alice", "wrong"))
        assert str(wrong).startswith("Self-test failed: no allocation: ")


async def test_an_announced_address_that_answers_is_right() -> None:
    async with running(external_ip="127.0.0.1") as relay:
        assert relay.external == "127.0.0.1"
        finding = await answers_outside(relay.uris, "127.0.0.1")
        assert finding == (Verdict.ANSWERS, {"host": "127.0.0.1"})
        assert (finding.is_good, finding.words) == (True, "127.0.0.1 answers as clients outside will ask it")


async def test_an_announced_address_that_nobody_answers_at_is_the_nats_or_the_firewalls() -> None:
    async with running(external_ip="127.0.0.77", allow_peers=()) as relay:
        findings = await check(relay)
        assert [finding.is_good for finding in findings] == [True, False]
        assert findings[1].words.startswith("nothing answers at 127.0.0.77 (UDP ")
        assert "the NAT does not forward these ports to this host" in findings[1].words


async def test_one_transport_that_is_not_answered_is_named() -> None:
    async with running(external_ip="127.0.0.1") as relay:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            deaf = ServerUri(Service.TURN, "127.0.0.1", silent.getsockname()[1], Transport.UDP)
            heard = next(uri for uri in relay.uris if uri.transport is Transport.TCP)
            finding = await answers_outside([deaf, heard], "127.0.0.1")
        assert finding.words == (
            f"127.0.0.1 does not answer by UDP {deaf.port}, and does by the others: a firewall drops it"
        )


async def test_a_stun_server_sees_relayed_addresses_through_the_relay() -> None:
    async with running() as far, running(external_ip=str(stun_uri(far))) as relay:
        findings = await check(relay)
        assert (findings[-1].is_good, findings[-1].words) == (
            True,
            "127.0.0.1 sees relayed addresses as they are announced",
        )


async def test_a_wrong_announced_address_is_found_out_by_what_a_stun_server_sees() -> None:
    async with running() as far, running(external_ip="127.0.0.77") as relay:
        transport, address = relay.addresses[0]
        near = ServerUri(Service.TURN, *address, transport)
        finding = await is_seen_as_announced(near, relay.credential, stun_uri(far), "49152-65535")
        assert (finding.is_good, finding.words) == (
            False,
            "127.0.0.1 sees 127.0.0.1 and not 127.0.0.77: say --external-ip 127.0.0.1, or stun:127.0.0.1",
        )


async def test_a_stun_server_that_is_not_heard_through_the_relay_points_at_a_firewall() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = ServerUri(Service.STUN, "127.0.0.1", silent.getsockname()[1], Transport.UDP)
        async with running(user_quota=1) as relay:
            finding = await is_seen_as_announced(relay.uris[0], relay.credential, server, "49152-65535")
    assert not finding.is_good
    assert finding.words.endswith("a firewall drops UDP from or to ports 49152-65535")


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_web_app_has_words_for_every_verdict_with_the_same_places(language: str) -> None:
    catalogue = (Path(zwerm.__file__).parent / "web" / "i18n" / f"{language}-settings.js").read_text("utf-8")
    found = dict(re.findall(r'^  "relay\.found\.(\w+)":\s+"(.*)",$', catalogue, re.MULTILINE))
    card = (Path(zwerm.__file__).parent / "web" / "settings" / "relay-card.js").read_text("utf-8")
    keys = dict(re.findall(r'^  (\w+): "relay\.found\.(\w+)",$', card, re.MULTILINE))
    assert set(keys) == {verdict.name.lower() for verdict in Verdict}
    for verdict in Verdict:
        places = set(re.findall(r"{\w+}", verdict.value))
        assert set(re.findall(r"{\w+}", found[keys[verdict.name.lower()]])) == places, verdict
