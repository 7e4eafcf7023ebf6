"""What the words of a command line, or of a configuration, mean for a relay (`zwerm.webrtc.turn.server`)."""

from __future__ import annotations

import dataclasses
import ipaddress
import secrets
import ssl
import time
from pathlib import Path
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.core.machine import Address
from zwerm.net.interfaces import list_addresses
from zwerm.webrtc.stun.aio import ask
from zwerm.webrtc.stun.uri import PORT, SECURE_PORT, ServerUri, Service, Transport
from zwerm.webrtc.turn.credentials import Credential, Users, time_limited
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.aio import ServiceConfig
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig
from zwerm.webrtc.turn.server.handover import share_of

CREDENTIAL_LIFETIME: Final = 86_400  # seconds that the printed time-limited credential lasts
MAX_WORKERS: Final = 64


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
    total_bytes_per_second: int | None = None
    workers: int = 1
    metrics: str | None = None  # HOST:PORT of the Prometheus listener
    is_self_tested: bool = True
    is_json: bool = False


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


def make_config(options: TurnOptions, external: str | None, worker: int = 0) -> TurnServerConfig:
    """Return the server's config: where it listens, from where it relays, and where not to.

    What is limited for all is divided among workers, but for allocations, which they count together.
    """
    own = frozenset(entry.address for entry in list_addresses())
    listening = tuple(
        dict.fromkeys(address for text in options.listen or (f":{PORT}",) for address in _addresses(text, own))
    )
    relays: dict[bool, RelayHost] = {}
    for host, _ in listening:
        is_ipv6 = ":" in host
        is_same = external is not None and is_ipv6 == (":" in external)
        relays.setdefault(is_ipv6, RelayHost(host, external or "" if is_same else ""))
    ports = _ports(options.ports)
    workers = options.workers
    if not 1 <= workers <= MAX_WORKERS:
        raise LocalProtocolError(f"--workers is {workers}, expected 1 to {MAX_WORKERS}")
    total = options.total_bytes_per_second
    whole = TurnServerConfig(
        listening,
        tuple(relays.values()),
        ports=share_of(ports, worker, workers),
        siblings=ports if workers > 1 else range(0),
        own=own,
        peers=PeerPolicy([parse_network(text) for text in options.allow_peers]),
        max_allocations=options.max_allocations,
        max_allocations_per_user=options.user_quota,
        bytes_per_second=options.user_bytes_per_second,
        total_bytes_per_second=None if total is None else total / workers,
    )
    return dataclasses.replace(
        whole,
        max_failures=-(-whole.max_failures // workers),
        challenges_per_second=whole.challenges_per_second / workers,
    )


def server_uris(addresses: list[tuple[Transport, Address]], outside: dict[str, str]) -> list[ServerUri]:
    """Return what clients are to be given, the fastest transport first."""
    uris = [ServerUri(Service.TURN, outside.get(host, host), port, transport) for transport, (host, port) in addresses]
    return sorted(dict.fromkeys(uris), key=lambda uri: list(Transport).index(uri.transport))


def ice_servers(uris: list[ServerUri], credential: Credential) -> dict[str, Any]:
    """Return what a program pastes into its configuration."""
    urls = [str(uri) for uri in uris]
    return {"iceServers": [{"urls": urls, "username": credential.username, "credential": credential.password}]}


def service_config(options: TurnOptions, config: TurnServerConfig) -> ServiceConfig:
    """Return what streams may cost, with TLS when a certificate was given."""
    if options.cert is None:
        return ServiceConfig()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_certificate(context, options)
    hosts = dict.fromkeys(host for host, _ in config.listening)
    port = 0 if config.listening[0][1] == 0 else SECURE_PORT
    return ServiceConfig(context, tuple((host, port) for host in hosts))


def load_certificate(context: ssl.SSLContext, options: TurnOptions) -> None:
    """Read the certificate, for the first time or anew; connections that are open keep theirs.

    Raises:
        LocalProtocolError: it cannot be read, or does not fit its key.
    """
    if options.cert is None:
        return
    try:
        context.load_cert_chain(Path(options.cert), Path(options.key) if options.key else None)
    except (OSError, ssl.SSLError) as error:
        raise LocalProtocolError(f"--cert {options.cert}: {error}") from None


def host_and_port(text: str, option: str, port: int = PORT) -> Address:
    """Read ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or :PORT; the host is empty in the last.

    Raises:
        LocalProtocolError: none of these.
    """
    host, port_text = text, f"{port}"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port_text = rest.removeprefix(":") or port_text
    elif text.count(":") == 1:
        host, _, port_text = text.partition(":")
    try:
        if host:
            host = ipaddress.ip_address(host).compressed
        if not (port_text.isdecimal() and int(port_text) < 65_536):
            raise ValueError
    except ValueError:
        raise LocalProtocolError(f"--{option} is {text!r}, expected ADDRESS, ADDRESS:PORT or :PORT") from None
    return host, int(port_text)


def _addresses(text: str, own: frozenset[str]) -> list[Address]:
    """Read one `--listen`. The unspecified address means each address of this machine, so that answers come from it."""
    host, port = host_and_port(text, "listen")
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


def _ports(text: str) -> range:
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()):
        raise LocalProtocolError(f"--ports is {text!r}, expected FIRST-LAST")
    return range(int(first), int(last) + 1)
