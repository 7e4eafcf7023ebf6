"""`node` and `events`: what this node is, and what is happening."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import zwerm
from zwerm.daemon.app.request import Request, Stream, route, time_text
from zwerm.daemon.http.web import gateway_host
from zwerm.node import statistics

if TYPE_CHECKING:
    from zwerm.daemon.listeners import Listeners
    from zwerm.node.node import Node


async def figures(node: Node, listeners: Listeners) -> dict[str, Any]:
    """Return what changes all the time, cheap to ask for."""
    tree = await node.tree.count()
    return {
        "state": "stopping" if listeners.is_stopping else "ready",
        "uptime": round(time.time() - node.started, 1),
        "counts": {
            "files": tree.files if tree else None,
            "directories": tree.directories if tree else None,
            "pins": await asyncio.to_thread(statistics.count_pins, node),
            "blocks": await node.blocks.count(),
            "versions": await asyncio.to_thread(statistics.count_versions, node),
        },
        "size": {"disk": node.store.used(), "maximum": node.config.size("storage.max") or None},
    }


@route("GET", "node")
async def node_summary(request: Request) -> dict[str, Any]:
    """Describe the node."""
    node, listeners = request.node, request.api.listeners
    from zwerm.daemon.rpc.registry import load_all

    return {
        "version": zwerm.__version__,
        "peer_id": str(node.identity),
        "profile": node.config.profile,
        "repository": str(node.repository.path),
        "started": time_text(node.started),
        **await figures(node, listeners),
        "addresses": {
            "swarm": swarm_addresses(node),
            **{name: str(found) if (found := listeners.address(name)) else None for name in ("api", "gateway", "web")},
        },
        "root": str(await node.files.root()),
        "gateway": templates(request),
        "commands": list(await asyncio.to_thread(load_all)),
    }


def swarm_addresses(node: Node) -> list[str]:
    """Return where other nodes, and browsers, reach this one; nothing while it is offline."""
    if node.network is None:
        return []
    swarm = node.network.swarm
    return [f"{address}/p2p/{swarm.peer_id}" for address in swarm.listen_addresses]


def templates(request: Request) -> dict[str, str | None] | None:
    """Return where content is shown, with `{cid}` in place of the CID; None when the gateway is off."""
    gateway = request.api.listeners.address("gateway")
    if gateway is None:
        return None
    name = gateway_host(gateway, request.exchange.host)
    own = f"localhost:{gateway.port}" if name in ("127.0.0.1", "[::1]") else f"{name}:{gateway.port}"
    return {
        "path": f"http://{name}:{gateway.port}/ipfs/{{cid}}",
        "subdomain": f"http://{{cid}}.ipfs.{own}/",
        "public": request.node.config.text("gateway.public").rstrip("/") or None,
    }


@route("GET", "events")
async def events(request: Request) -> Stream:
    """Stream what happens."""
    text = request.exchange.headers.get("Last-Event-ID", "")
    return Stream(
        request.api.live.stream(int(text) if text.isdecimal() and len(text) < 16 else None), "text/event-stream"
    )
