"""The node's gateway: `zwerm.ipfs.gateway` with the node's content and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zwerm.ipfs.gateway.gateway import Gateway
    from zwerm.node.node import Node


def make_gateway(node: Node) -> Gateway:
    """Return a gateway that answers from `node`.

    Raises:
        LocalProtocolError: an entry of gateway.denylist is no CID.
    """
    from zwerm.ipfs.gateway.denylist import Denylist
    from zwerm.ipfs.gateway.gateway import Gateway, GatewayConfig

    config = node.config
    settings = GatewayConfig(
        subdomains=frozenset(name.lower() for name in config.texts("gateway.subdomains")),
        html_redirect=config.boolean("gateway.isolate"),
        deserialized=config.boolean("gateway.deserialized"),
        dnslink=config.boolean("gateway.dnslink"),
    )
    return Gateway(node.source, settings, node.names, Denylist(config.texts("gateway.denylist")))
