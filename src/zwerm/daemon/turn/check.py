"""A relay tests itself as its clients will use it, from outside in, and says in words what is wrong.

First two clients meet through it on this machine. Then, where it is announced under another address than its own, that
address is asked, by each transport; and where a STUN server is known, it is asked *through* the relay, whether the
world sees relayed addresses as they are announced.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import ssl
from typing import Final, NamedTuple

from zwerm.core.errors import WireError, ZwermError
from zwerm.core.random import SYSTEM
from zwerm.daemon.turn.relay import TurnRelay
from zwerm.webrtc.stun.aio import ask, resolve
from zwerm.webrtc.stun.attributes import XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import Message, Method, request
from zwerm.webrtc.stun.uri import ServerUri, Service, Transport
from zwerm.webrtc.turn.aio import Allocation
from zwerm.webrtc.turn.credentials import Credential

PATIENCE: Final = 10.0  # seconds for two clients to meet
OUTSIDE: Final = 3.0  # seconds for an answer that goes once around
RESENDS: Final = 3


class Verdict(enum.Enum):
    """What trying one thing came to. The names are those that the web app has words of its own for."""

    MET = "two clients met through the relay"
    NOTHING_CAME = "nothing came back within {seconds} s"
    FAILED = "{why}"
    WRONG_DATA = "wrong data came"
    ANSWERS = "{host} answers as clients outside will ask it"
    DEAF = (
        "nothing answers at {host} ({ports}): the NAT does not forward these ports to this host, a firewall drops "
        "them, or the NAT does not lead its own inside back in (then try `zwerm stun` from another network)"
    )
    DEAF_BY_UDP = "{host} does not answer by {ports}, and does by the others: a firewall drops it"
    DEAF_IN_PART = "{host} does not answer by {ports}, and does by the others: it is not forwarded"
    CANNOT_ASK = "{server} cannot be asked through the relay: {why}"
    SEEN = "{server} sees relayed addresses as they are announced"
    DROPPED = "{server} does not answer through the relay: a firewall drops UDP from or to ports {ports}"
    PORT_CHANGED = (
        "{server} sees port {seen} and not {announced}: the NAT changes ports; have it forward UDP ports {ports} to "
        "this host as they are"
    )
    ADDRESS_WRONG = "{server} sees {seen} and not {announced}: say --external-ip {seen}, or stun:{server}"


_GOOD: Final = (Verdict.MET, Verdict.ANSWERS, Verdict.SEEN)


class Finding(NamedTuple):
    """One thing that was tried."""

    verdict: Verdict
    values: dict[str, str]  # for the places in its words

    @property
    def is_good(self) -> bool:
        return self.verdict in _GOOD

    @property
    def words(self) -> str:
        return self.verdict.value.format_map(self.values)

    def __str__(self) -> str:
        return f"Self-test {'passed' if self.is_good else 'failed'}: {self.words}"


async def check(relay: TurnRelay) -> list[Finding]:
    """Try everything there is to try; takes up to half a minute when nothing answers."""
    transport, address = relay.addresses[0]
    credential = relay.credential
    findings = [await two_clients_meet(ServerUri(Service.TURN, *address, transport), credential)]
    if not findings[0].is_good:
        return findings
    if relay.external is not None and relay.external != address[0]:
        findings.append(await answers_outside(relay.uris, relay.external))
    stun = relay.options.external_ip
    if stun is not None and stun.startswith("stun"):
        uri = ServerUri(Service.TURN, *address, transport)
        findings.append(await is_seen_as_announced(uri, credential, ServerUri.from_text(stun), relay.options.ports))
    return findings


async def two_clients_meet(uri: ServerUri, credential: Credential) -> Finding:
    """Come in as two clients, and send a datagram from one to the other through the relay."""
    try:
        async with (
            asyncio.timeout(PATIENCE),
            await Allocation.open(uri, credential) as one,
            await Allocation.open(uri, credential) as other,
        ):
            await one.permit(other.relayed[0][0])
            await other.permit(one.relayed[0][0])
            one.send(b"self-test", other.relayed[0])
            data, peer = await other.receive()
    except TimeoutError:
        return _found(Verdict.NOTHING_CAME, seconds=f"{PATIENCE:.0f}")
    except ZwermError as error:
        return _found(Verdict.FAILED, why=str(error))
    is_right = (data, peer) == (b"self-test", one.relayed[0])
    return _found(Verdict.MET if is_right else Verdict.WRONG_DATA)


async def answers_outside(uris: list[ServerUri], external: str) -> Finding:
    """Ask the announced address, by each transport."""
    wanted = [uri for uri in uris if uri.host == external]
    answered = dict(zip(wanted, await asyncio.gather(*(_answers(uri) for uri in wanted)), strict=True))
    deaf = [uri for uri, is_there in answered.items() if not is_there]
    ports = ", ".join(f"{uri.transport.value.upper()} {uri.port}" for uri in deaf)
    if not deaf:
        return _found(Verdict.ANSWERS, host=external)
    if len(deaf) == len(wanted):
        return _found(Verdict.DEAF, host=external, ports=ports)
    is_udp = all(uri.transport is Transport.UDP for uri in deaf)
    return _found(Verdict.DEAF_BY_UDP if is_udp else Verdict.DEAF_IN_PART, host=external, ports=ports)


async def _answers(uri: ServerUri) -> bool:
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # whether it is reached, not who it is
    with contextlib.suppress(ZwermError, TimeoutError):
        async with asyncio.timeout(OUTSIDE):
            await ask(ServerUri(Service.STUN, uri.host, uri.port, uri.transport), tls=tls)
            return True
    return False


async def is_seen_as_announced(uri: ServerUri, credential: Credential, stun: ServerUri, ports: str) -> Finding:
    """Ask a STUN server through the relay what it sees."""
    try:
        server = await resolve(stun)
        async with asyncio.timeout(PATIENCE), await Allocation.open(uri, credential) as allocation:
            await allocation.permit(server[0])
            asked = request(Method.BINDING, SYSTEM.randbytes(12)).serialize()
            data = None
            for _ in range(RESENDS):
                allocation.send(asked, server)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(OUTSIDE / RESENDS):
                        data, _ = await allocation.receive()
                        break
            announced = allocation.relayed[0]
            seen = Message.parse(data).find(XOR_MAPPED_ADDRESS) if data is not None else None
    except (ZwermError, WireError, TimeoutError) as error:
        return _found(Verdict.CANNOT_ASK, server=stun.host, why=str(error) or "it took too long")
    if seen == announced:
        return _found(Verdict.SEEN, server=stun.host)
    if seen is None:
        return _found(Verdict.DROPPED, server=stun.host, ports=ports)
    if seen[0] == announced[0]:
        seen_port, announced_port = str(seen[1]), str(announced[1])
        return _found(Verdict.PORT_CHANGED, server=stun.host, seen=seen_port, announced=announced_port, ports=ports)
    return _found(Verdict.ADDRESS_WRONG, server=stun.host, seen=seen[0], announced=announced[0])


def _found(verdict: Verdict, /, **values: str) -> Finding:
    return Finding(verdict, values)
