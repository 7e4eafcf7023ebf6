"""A relay tests itself as its clients will use it, from outside in, and says in words what is wrong.

First two clients meet through it on this machine. Then, where it is announced under another address than its own, that
address is asked, by each transport; and where a STUN server is known, it is asked *through* the relay, whether the
world sees relayed addresses as they are announced.
"""

from __future__ import annotations

import asyncio
import contextlib
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


class Finding(NamedTuple):
    """One thing that was tried."""

    is_good: bool
    words: str

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
        return Finding(False, f"nothing came back within {PATIENCE:.0f} s")  # noqa: FBT003 - its first field
    except ZwermError as error:
        return Finding(False, str(error))  # noqa: FBT003
    is_right = (data, peer) == (b"self-test", one.relayed[0])
    return Finding(is_right, "two clients met through the relay" if is_right else "wrong data came")


async def answers_outside(uris: list[ServerUri], external: str) -> Finding:
    """Ask the announced address, by each transport."""
    wanted = [uri for uri in uris if uri.host == external]
    answered = dict(zip(wanted, await asyncio.gather(*(_answers(uri) for uri in wanted)), strict=True))
    deaf = [uri for uri, is_there in answered.items() if not is_there]
    names = ", ".join(f"{uri.transport.value.upper()} port {uri.port}" for uri in deaf)
    if not deaf:
        return Finding(True, f"{external} answers as clients outside will ask it")  # noqa: FBT003
    if len(deaf) == len(wanted):
        return Finding(
            False,  # noqa: FBT003
            f"nothing answers at {external} ({names}): the NAT does not forward these ports to this host, a firewall "
            "drops them, or the NAT does not lead its own inside back in (then try `zwerm stun` from another network)",
        )
    why = "a firewall drops it" if all(uri.transport is Transport.UDP for uri in deaf) else "it is not forwarded"
    return Finding(False, f"{external} does not answer by {names}, and does by the others: {why}")  # noqa: FBT003


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
        return Finding(False, f"{stun.host} cannot be asked through the relay: {str(error) or 'it took too long'}")  # noqa: FBT003
    if seen == announced:
        return Finding(True, f"{stun.host} sees relayed addresses as they are announced")  # noqa: FBT003
    if seen is None:
        return Finding(
            False,  # noqa: FBT003
            f"{stun.host} does not answer through the relay: a firewall drops UDP from or to ports {ports}",
        )
    if seen[0] == announced[0]:
        return Finding(
            False,  # noqa: FBT003
            f"{stun.host} sees port {seen[1]} and not {announced[1]}: the NAT changes ports; have it forward UDP ports "
            f"{ports} to this host as they are",
        )
    return Finding(
        False,  # noqa: FBT003
        f"{stun.host} sees {seen[0]} and not {announced[0]}: say --external-ip {seen[0]}, or stun:{stun.host}",
    )
