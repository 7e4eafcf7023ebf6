"""Who this node is a node among, and by whom it goes: the key of a private network, and a proxy.

`swarm.key` in the repository makes the network private: only nodes with the same key understand a byte, on TCP and
WebSocket; other transports have no way to carry it and stay off. `network.proxy` has a SOCKS 5 proxy make every
connection that is dialled; whatever would go past it stays off.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from zwerm.core.errors import LocalProtocolError, StorageError, WireError

if TYPE_CHECKING:
    from zwerm.libp2p.pnet.network_key import NetworkKey
    from zwerm.libp2p.socks.client import Proxy
    from zwerm.libp2p.transports.transport import Transport
    from zwerm.node.node import Node

KEY_NAME: Final = "swarm.key"

_LOG: Final = logging.getLogger("zwerm.network")


def transports(node: Node) -> list[Transport]:
    """Return the ways to other nodes that this one has. On the running loop.

    Raises:
        StorageError: `swarm.key` cannot be read, or holds no key; or so the certificate of `websocket.cert`.
    """
    from zwerm.libp2p.swarm.upgrade import Upgrade, securities
    from zwerm.libp2p.transports.tcp import TcpTransport
    from zwerm.libp2p.transports.websocket import WebSocketTransport
    from zwerm.node.secure_websocket import server_tls

    network, proxy = network_key(node), parse_proxy(node.config.text("network.proxy"))
    upgrade = Upgrade(securities(node.repository.key), network=network)
    chosen = node.config.text("network.congestion")
    congestion = "" if chosen == "system" else chosen
    ways: list[Transport] = [TcpTransport(upgrade, proxy=proxy, congestion=congestion)]
    if proxy is None:
        ways.append(WebSocketTransport(upgrade, server_tls=server_tls(node.config), congestion=congestion))
    if network is not None:
        _LOG.info("the network is private (%s): QUIC and WebRTC cannot carry its key and stay off", KEY_NAME)
    elif proxy is None:
        from zwerm.libp2p.transports.quic.transport import QuicTransport
        from zwerm.net.shared_udp import UdpPorts
        from zwerm.node.webrtc_direct import direct_transport

        ports = UdpPorts()
        ways += [QuicTransport(node.repository.key, ports=ports), direct_transport(node, ports)]
    return ways


def network_key(node: Node) -> NetworkKey | None:
    """Return the key of the private network that the node is in; None: the public one.

    Raises:
        StorageError: the file cannot be read, or holds no key. A node that should be private does not go public.
    """
    path = node.repository.path / KEY_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    from zwerm.libp2p.pnet.network_key import NetworkKey

    try:
        return NetworkKey.parse(data)
    except WireError as error:
        raise StorageError(f"{path}: {error}") from None


def parse_proxy(text: str) -> Proxy | None:
    """Read `socks5://[USER:PASSWORD@]HOST:PORT`; None when it is empty.

    Raises:
        LocalProtocolError: it is something else. The message holds nothing of a password.
    """
    if not text:
        return None
    from zwerm.libp2p.socks.client import Proxy

    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None or parts.scheme not in ("socks5", "socks5h") or parts.path or parts.query:
        raise LocalProtocolError("not an address of a proxy; expected a form like socks5://127.0.0.1:9050")
    return Proxy(host, port, unquote(parts.username or ""), unquote(parts.password or ""))
