"""`id` and `version`: who the node is, and which API it speaks (Kubo, "RPC API", `/api/v0/id`)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import platform
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from zwerm import __version__
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, argument, command, flag, option
from zwerm.daemon.rpc.text import peer_text

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId

KUBO_VERSION: Final = "0.43.0"  # the release whose RPC these commands follow; clients look at it


@command(
    "id",
    "Show who this node is",
    arguments=[argument("peerid", "The peer to ask about; this node when not given.", required=False)],
    options=[
        option(
            "format", "f", text="Print only these: <id> <aver> <pubkey> <addrs> <protocols>, \\n and \\t.", display=True
        ),
        option("peerid-base", text="How peer IDs are written: b58mh, or a multibase.", default="b58mh"),
    ],
    repository_only=True,
)
async def id_(
    context: Context,
    peerid: str | None = None,
    peerid_base: str = "b58mh",
) -> dict[str, Any]:
    from zwerm.identity.peer_id import PeerId

    node = context.node
    if peerid is not None and (peer := PeerId.from_text(peerid)) != node.identity:
        return await _other(context, peer, peerid_base)
    key = node.repository.key.public.serialize()
    swarm = None if node.network is None else node.network.swarm
    name = peer_text(node.identity, peerid_base)
    return {
        "ID": name,
        "PublicKey": base64.b64encode(key).decode(),
        "Addresses": [] if swarm is None else [f"{address}/p2p/{node.identity}" for address in swarm.addresses],
        "AgentVersion": agent_version(context),
        "Protocols": [] if swarm is None else sorted(swarm.protocols),
    }


async def _other(context: Context, peer: PeerId, base: str) -> dict[str, Any]:
    """Say who another peer is, connecting to it when there is no connection."""
    from zwerm.daemon.rpc.online import network_of

    if context.node.network is None:
        raise CommandError("other peers cannot be asked: this node is offline; start it with `zwerm up`")
    swarm = network_of(context).swarm
    connection = await swarm.connect(peer)
    if not swarm.peers.protocols(peer) and swarm.identify is not None:
        await swarm.identify.identify(connection)
    key = peer.public_key
    return {
        "ID": peer_text(peer, base),
        "PublicKey": "" if key is None else base64.b64encode(key.serialize()).decode(),
        "Addresses": [f"{address}/p2p/{peer}" for address in swarm.peers.addresses(peer)],
        "AgentVersion": swarm.peers.agent(peer),
        "Protocols": sorted(swarm.peers.protocols(peer)),
    }


def agent_version(context: Context) -> str:
    """What clients of the RPC read: the second part is taken for Kubo's version and decides what they dare to call."""
    return f"kubo/{context.kubo_version or KUBO_VERSION}/zwerm/{__version__}"


@command(
    "version",
    "Show versions",
    options=[
        flag("number", "n", text="Only the number.", display=True),
        flag("commit", text="The commit as well.", display=True),
        flag("repo", text="Only the version of the repository.", display=True),
        flag("all", text="All versions.", display=True),
    ],
    without_node=True,
)
async def version(context: Context) -> dict[str, Any]:
    """Name the Kubo release that is spoken here, since that is what clients compare; ours stands beside it."""
    from zwerm.node.migrations import VERSION

    return {
        "Version": context.kubo_version or KUBO_VERSION,
        "Commit": "",
        "Repo": str(VERSION),
        "System": f"{platform.machine()}/{platform.system().lower()}",
        "Golang": "",
        "Zwerm": __version__,
        "Python": platform.python_version(),
    }


@command("version/deps", "List the libraries in use and their versions", without_node=True)
async def version_deps(_context: Context) -> AsyncIterator[dict[str, Any]]:
    for name, version in [("zwerm", __version__), *await asyncio.to_thread(_dependencies)]:
        yield {"Path": name, "Version": version, "ReplacedBy": "", "Sum": ""}


def _dependencies() -> list[tuple[str, str]]:
    """Read which packages zwerm needs and which versions of them are installed."""
    import re
    from importlib import metadata

    names = [
        re.split(r"[ <>=!~;\[]", text, maxsplit=1)[0]
        for text in metadata.requires("zwerm") or ()
        if "extra ==" not in text
    ]
    found = []
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append((name, metadata.version(name)))
    return found
