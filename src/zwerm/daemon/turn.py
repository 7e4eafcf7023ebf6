"""`zwerm turn`: a relay as a process of its own, without a repository.

What the words of the command line mean becomes a `TurnServerConfig` here; the server itself is
`zwerm.webrtc.turn.server`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ipaddress
import json
import secrets
import signal
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from zwerm.core.errors import LocalProtocolError, TransportError, ZwermError
from zwerm.core.machine import Address
from zwerm.net.interfaces import list_addresses
from zwerm.webrtc.stun.aio import ask
from zwerm.webrtc.stun.uri import PORT, SECURE_PORT, ServerUri, Service, Transport
from zwerm.webrtc.turn.aio import Allocation
from zwerm.webrtc.turn.credentials import Credential, Users, time_limited
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.aio import ServiceConfig, TurnService
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig

CREDENTIAL_LIFETIME: Final = 86_400  # seconds that the printed time-limited credential lasts
SELF_TEST: Final = 10.0  # seconds it may take


@dataclasses.dataclass(frozen=True, slots=True)
class TurnOptions:
    """The command line, as it was typed."""

    listen: tuple[str, ...] = ()  # HOST, HOST:PORT or :PORT; all addresses of this machine by default
    realm: str = "zwerm"
    secret: str | None = None
    users: tuple[str, ...] = ()  # NAME:PASSWORD
    allow_peers: tuple[str, ...] = ()
    external_ip: str | None = None  # an address, or the STUN server that tells it
    cert: str | None = None
    key: str | None = None
    ports: str = "49152-65535"
    max_allocations: int = 10_000
    user_quota: int = 64
    user_bytes_per_second: int | None = None
    is_self_tested: bool = True
    is_json: bool = False


def run_turn(options: TurnOptions, write: Callable[[str], None]) -> int:
    """Relay until SIGINT or SIGTERM. Every address is printed by `write`, which takes a line.

    Raises:
        ZwermError: something of the options cannot be, or cannot be had.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options, write))


async def _serve(options: TurnOptions, write: Callable[[str], None]) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    users, credential = make_users(options)
    config = make_config(options, await external_address(options.external_ip))
    service = TurnService(config, users, _streams(options, config))
    await service.start()
    try:
        outside = {relay.local: relay.outside for relay in config.relays}
        uris = server_uris(service.addresses, outside)
        write(_block(uris, credential) if options.is_json else _words(uris, credential, options))
        if options.is_self_tested:
            write(await self_test(service, credential))
        write("TURN is ready")
        await stopped.wait()
    finally:
        await service.close()
    return 0


def make_users(options: TurnOptions) -> tuple[Users, Credential]:
    """Return whom the relay lets in, and a credential to print: one that was given, or a new one."""
    passwords: dict[str, str] = {}
    for text in options.users:
        name, colon, password = text.partition(":")
        if not (name and colon and password):
            raise LocalProtocolError(f"--user is {text.partition(':')[0]!r} and no password, expected NAME:PASSWORD")
        passwords[name] = password
    if options.secret:
        credential = time_limited(options.secret, "web", int(time.time()) + CREDENTIAL_LIFETIME)
    else:
        if not passwords:
            passwords["zwerm"] = secrets.token_urlsafe(18)
        credential = Credential(*next(iter(passwords.items())))
    return Users(options.realm, passwords, (options.secret,) if options.secret else ()), credential


async def external_address(text: str | None) -> str | None:
    """Read `--external-ip`: the address itself, or a STUN server that is asked for it."""
    if text is None:
        return None
    if text.startswith(("stun:", "stuns:")):
        return (await ask(ServerUri.from_text(text))).mapped[0]
    try:
        return ipaddress.ip_address(text).compressed
    except ValueError:
        raise LocalProtocolError(f"--external-ip is {text!r}, expected an address or stun:HOST") from None


def make_config(options: TurnOptions, external: str | None) -> TurnServerConfig:
    """Return the server's config: where it listens, from where it relays, and where not to."""
    own = frozenset(entry.address for entry in list_addresses())
    listening = tuple(
        dict.fromkeys(address for text in options.listen or (f":{PORT}",) for address in _addresses(text, own))
    )
    relays: dict[bool, RelayHost] = {}
    for host, _ in listening:
        is_ipv6 = ":" in host
        is_same = external is not None and is_ipv6 == (":" in external)
        relays.setdefault(is_ipv6, RelayHost(host, external or "" if is_same else ""))
    first, dash, last = options.ports.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()):
        raise LocalProtocolError(f"--ports is {options.ports!r}, expected FIRST-LAST")
    return TurnServerConfig(
        listening,
        tuple(relays.values()),
        ports=range(int(first), int(last) + 1),
        own=own,
        peers=PeerPolicy([parse_network(text) for text in options.allow_peers]),
        max_allocations=options.max_allocations,
        max_allocations_per_user=options.user_quota,
        bytes_per_second=options.user_bytes_per_second,
    )


def server_uris(addresses: list[tuple[Transport, Address]], outside: dict[str, str]) -> list[ServerUri]:
    """Return what clients are to be given, the fastest transport first."""
    uris = [ServerUri(Service.TURN, outside.get(host, host), port, transport) for transport, (host, port) in addresses]
    return sorted(dict.fromkeys(uris), key=lambda uri: list(Transport).index(uri.transport))


async def self_test(service: TurnService, credential: Credential) -> str:
    """Come in as two clients, send a datagram from one to the other through the relay, and say how it went."""
    transport, address = service.addresses[0]
    uri = ServerUri(Service.TURN, *address, transport)
    try:
        async with (
            asyncio.timeout(SELF_TEST),
            await Allocation.open(uri, credential) as one,
            await Allocation.open(uri, credential) as other,
        ):
            await one.permit(other.relayed[0][0])
            await other.permit(one.relayed[0][0])
            one.send(b"self-test", other.relayed[0])
            data, peer = await other.receive()
    except TimeoutError:
        return f"Self-test failed: nothing came back within {SELF_TEST:.0f} s"
    except ZwermError as error:
        return f"Self-test failed: {error}"
    is_right = (data, peer) == (b"self-test", one.relayed[0])
    return "Self-test passed: two clients met through the relay" if is_right else "Self-test failed: wrong data came"


def _addresses(text: str, own: frozenset[str]) -> list[Address]:
    """Read one `--listen`. The unspecified address means each address of this machine, so that answers come from it."""
    host, port = _split(text)
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - what somebody typed
        wanted = {"": (False, True), "0.0.0.0": (False,), "::": (True,)}[host]  # noqa: S104
        hosts = [
            entry.address for entry in list_addresses() if (":" in entry.address) in wanted and not entry.is_link_local
        ]
        found = sorted(hosts, key=lambda host: (ipaddress.ip_address(host).is_loopback, ":" in host))
        return [(host, port) for host in found]
    if host not in own and not ipaddress.ip_address(host).is_loopback:
        raise TransportError(f"--listen {host} is no address of this machine")
    return [(host, port)]


def _split(text: str) -> tuple[str, int]:
    host, port = text, f"{PORT}"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        if host:
            host = ipaddress.ip_address(host).compressed
        if not (port.isdecimal() and int(port) < 65_536):
            raise ValueError
    except ValueError:
        raise LocalProtocolError(f"--listen is {text!r}, expected ADDRESS, ADDRESS:PORT or :PORT") from None
    return host, int(port)


def _streams(options: TurnOptions, config: TurnServerConfig) -> ServiceConfig:
    if options.cert is None:
        return ServiceConfig()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(Path(options.cert), Path(options.key) if options.key else None)
    except (OSError, ssl.SSLError) as error:
        raise LocalProtocolError(f"--cert {options.cert}: {error}") from None
    hosts = dict.fromkeys(host for host, _ in config.listening)
    port = 0 if config.listening[0][1] == 0 else SECURE_PORT
    return ServiceConfig(context, tuple((host, port) for host in hosts))


def _block(uris: list[ServerUri], credential: Credential) -> str:
    urls = [str(uri) for uri in uris]
    return json.dumps(
        {"iceServers": [{"urls": urls, "username": credential.username, "credential": credential.password}]}
    )


def _words(uris: list[ServerUri], credential: Credential, options: TurnOptions) -> str:
    lines = ["Paste this into your program:", "", f"  {_block(uris, credential)}", ""]
    if options.secret:
        lines.append("The credential ends in a day; your web service makes new ones with the same secret.")
    elif not options.users:
        lines.append("The password is new with every start; --user or --static-auth-secret keep it.")
    private = [uri.host for uri in uris if _is_private(uri.host)]
    if private:
        lines.append(
            f"Only hosts near this one reach {private[0]}: say --external-ip ADDRESS when there is a NAT before it."
        )
    return "\n".join(lines)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _is_private(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return not ipaddress.ip_address(host).is_global
    return False
