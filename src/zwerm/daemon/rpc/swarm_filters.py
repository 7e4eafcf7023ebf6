"""`swarm/filters`: addresses neither dialled nor let in, a setting (Kubo, "RPC API", `/api/v0/swarm/filters`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, argument, command
from zwerm.libp2p.swarm.address_ranges import AddressRange

_SETTING: Final = "network.filters"
_ALL: Final = ("all", "*")  # Kubo's words for every range


@command("swarm/filters", "List the ranges of addresses that are neither dialled nor let in", repository_only=True)
async def swarm_filters(context: Context) -> dict[str, Any]:
    return {"Strings": list(context.node.config.texts(_SETTING))}


@command(
    "swarm/filters/add",
    "Dial and let in nobody in these ranges, and close what there is",
    arguments=[argument("address", "Ranges such as /ip4/10.0.0.0/ipcidr/8.", variadic=True, stdin=True)],
    repository_only=True,
)
async def swarm_filters_add(context: Context, address: Sequence[str]) -> dict[str, Any]:
    known = list(context.node.config.texts(_SETTING))
    added = [text for text in _ranges(address) if text not in known]
    await _set(context, known + added)
    return {"Strings": added}


@command(
    "swarm/filters/rm",
    "Dial and let in those in these ranges again",
    arguments=[argument("address", "Ranges that were added, or `all`.", variadic=True, stdin=True)],
    repository_only=True,
)
async def swarm_filters_rm(context: Context, address: Sequence[str]) -> dict[str, Any]:
    known = list(context.node.config.texts(_SETTING))
    wanted = known if address and address[0] in _ALL else [*address, *_ranges(address)]
    removed = [text for text in known if text in wanted]
    await _set(context, [text for text in known if text not in removed])
    return {"Strings": removed}


def _ranges(texts: Sequence[str]) -> list[str]:
    try:
        return list(dict.fromkeys(str(AddressRange.from_text(text)) for text in texts))
    except LocalProtocolError as error:
        raise CommandError(f"invalid address filter: {error}") from None


async def _set(context: Context, ranges: list[str]) -> None:
    await asyncio.to_thread(context.node.config.set, _SETTING, ranges)
