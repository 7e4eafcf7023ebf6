"""`bootstrap/*`: the peers asked first, a setting (Kubo, "RPC API", `/api/v0/bootstrap`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, argument, command, flag

_DEFAULTS: Final = ("default", "auto")  # what Kubo calls the list that it brings along
_PEERS: Final = argument("peer", "Multiaddrs of peers, with their /p2p/ID.", required=False, variadic=True, stdin=True)


@command("bootstrap", "List the peers asked first", repository_only=True)
async def bootstrap(context: Context) -> dict[str, Any]:
    return _peers(context)


@command("bootstrap/list", "List the peers asked first", repository_only=True)
async def bootstrap_list(context: Context) -> dict[str, Any]:
    return _peers(context)


@command("bootstrap/add", "Add peers to be asked first", arguments=[_PEERS], repository_only=True)
async def bootstrap_add(context: Context, peer: Sequence[str] = ()) -> dict[str, Any]:
    if not peer or any(text in _DEFAULTS for text in peer):
        said = "no peers given; " if not peer else ""
        raise CommandError(f"{said}zwerm has no default list: name the peers of the network that this node is to join")
    for text in peer:
        if "/p2p/" not in text and "/ipfs/" not in text:
            raise CommandError(f"{text!r} does not end in /p2p/ID, so nobody could tell who answers there")
    known = list(context.node.config.texts("bootstrap"))
    await _set(context, known + [text for text in dict.fromkeys(peer) if text not in known])
    return {"Peers": list(peer)}


@command(
    "bootstrap/rm",
    "Remove peers from those asked first",
    arguments=[_PEERS],
    options=[flag("all", text="Remove every peer.")],
    repository_only=True,
)
async def bootstrap_rm(context: Context, peer: Sequence[str] = (), all_: bool = False) -> dict[str, Any]:
    known = list(context.node.config.texts("bootstrap"))
    gone = known if all_ else [text for text in known if text in peer]
    if not all_ and not peer:
        raise CommandError("no peers given; --all removes every one")
    await _set(context, [text for text in known if text not in gone])
    return {"Peers": gone}


@command("bootstrap/rm/all", "Remove every peer from those asked first", repository_only=True)
async def bootstrap_rm_all(context: Context) -> dict[str, Any]:
    gone = list(context.node.config.texts("bootstrap"))
    await _set(context, [])
    return {"Peers": gone}


def _peers(context: Context) -> dict[str, Any]:
    return {"Peers": list(context.node.config.texts("bootstrap"))}


async def _set(context: Context, peers: list[str]) -> None:
    await asyncio.to_thread(context.node.config.set, "bootstrap", peers)
