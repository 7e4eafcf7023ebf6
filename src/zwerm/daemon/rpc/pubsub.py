"""`pubsub/*` and `name/pubsub/*`: messages by topic (Kubo, "RPC API", `/api/v0/pubsub/sub`).

Over HTTP topics and data are base64url with their multibase prefix, `u`, since neither need be text; a topic may come
in any multibase. The command line takes and prints topics as they are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import WireError
from zwerm.daemon.rpc.body import Body, read_one
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.online import network_of, parse_peer
from zwerm.daemon.rpc.registry import Context, RawStream, argument, command, file_argument, flag, option
from zwerm.multiformats import multibase

if TYPE_CHECKING:
    from zwerm.ipfs.ipns.pubsub import IpnsPubsub
    from zwerm.libp2p.gossipsub.aio import Pubsub

_OFF: Final = "pubsub is off; turn it on with `zwerm config pubsub.enabled true` and start the node again"
_TOPIC: Final = "The topic; over HTTP in multibase, such as `ubmV3cw` for `news`."


@command(
    "pubsub/pub",
    "Send a message to a topic",
    arguments=[argument("topic", _TOPIC), file_argument("data", "The message.")],
)
async def pubsub_pub(context: Context, topic: str, body: Body) -> None:
    from zwerm.libp2p.gossipsub.message import MAX_RPC

    pubsub = _pubsub(context)
    data = await read_one(body, MAX_RPC)
    await pubsub.publish(_topic(topic), data)


@command(
    "pubsub/sub",
    "Read the messages of a topic as they come",
    arguments=[argument("topic", _TOPIC)],
    options=[flag("discover", text="Accepted as Kubo does.", display=True)],
)
async def pubsub_sub(context: Context, topic: str) -> RawStream:
    """Give a line of JSON for each message, until the caller goes or the daemon ends."""
    pubsub = _pubsub(context)
    name = _topic(topic)
    return RawStream(_lines(pubsub, name, context.stopping), None, "application/json")


async def _lines(pubsub: Pubsub, topic: str, stopping: asyncio.Event | None) -> AsyncGenerator[bytes, None]:
    from zwerm.identity.peer_id import PeerId

    async with pubsub.subscribe(topic) as messages:
        ending = None if stopping is None else asyncio.ensure_future(stopping.wait())
        if ending is not None:
            ending.add_done_callback(lambda _: messages.close())
        try:
            yield b""  # the answer begins now: whoever has its head misses nothing from here on
            async for delivered in messages:
                message = delivered.message
                row = {
                    "from": str(PeerId(message.author)),
                    "data": _encoded(message.data),
                    "seqno": _encoded(message.sequence),
                    "topicIDs": [_encoded(message.topic.encode())],
                }
                yield json.dumps(row).encode() + b"\n"
        finally:
            if ending is not None:
                ending.cancel()


@command("pubsub/ls", "List the topics that this node reads")
async def pubsub_ls(context: Context) -> dict[str, list[str]]:
    return {"Strings": [_encoded(topic.encode()) for topic in _pubsub(context).topics]}


@command(
    "pubsub/peers",
    "List the connected peers that read a topic",
    arguments=[argument("topic", _TOPIC + " All peers of pubsub when not given.", required=False)],
)
async def pubsub_peers(context: Context, topic: str | None = None) -> dict[str, list[str]]:
    wanted = None if topic is None else _topic(topic)
    return {"Strings": [str(peer) for peer in _pubsub(context).peers(wanted)]}


@command(
    "pubsub/reset",
    "Forget which messages were seen, so that they are read again when they come again",
    options=[option("peer", "p", text="Only those that this peer wrote.")],
)
async def pubsub_reset(context: Context, peer: str | None = None) -> dict[str, int]:
    """What was seen is kept for two minutes, and nowhere on the disk."""
    pubsub = _pubsub(context)
    return {"Deleted": pubsub.router.forget_seen(None if peer is None else parse_peer(peer)[0])}


@command("name/pubsub/state", "Show whether changed names are heard of by pubsub")
async def name_pubsub_state(context: Context) -> dict[str, bool]:
    network = context.node.network
    return {"Enabled": network is not None and network.ipns_pubsub is not None}


@command("name/pubsub/subs", "List the names that are followed by pubsub")
async def name_pubsub_subs(context: Context) -> dict[str, list[str]]:
    from zwerm.ipfs.ipns.name import to_text

    return {"Strings": [f"/ipns/{to_text(name)}" for name in _ipns(context).followed]}


@command(
    "name/pubsub/cancel",
    "Follow a name by pubsub no more",
    arguments=[argument("name", "The name.")],
)
async def name_pubsub_cancel(context: Context, name: str) -> dict[str, bool]:
    from zwerm.ipfs.ipns.name import from_text

    try:
        found = from_text(name)
    except WireError as error:
        raise CommandError(f"invalid name {name!r}: {error}") from None
    return {"Canceled": _ipns(context).leave(found)}


def _pubsub(context: Context) -> Pubsub:
    pubsub = network_of(context).pubsub
    if pubsub is None:
        raise CommandError(_OFF)
    return pubsub


def _ipns(context: Context) -> IpnsPubsub:
    ipns = network_of(context).ipns_pubsub
    if ipns is None:
        raise CommandError(_OFF)
    return ipns


def _topic(text: str) -> str:
    try:
        return multibase.decode(text).decode()
    except (WireError, UnicodeDecodeError):
        raise CommandError(f"topic {text!r} is not in multibase, such as `ubmV3cw` for `news`") from None


def _encoded(data: bytes) -> str:
    return multibase.encode(data, "base64url")
