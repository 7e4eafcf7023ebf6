"""`dht/findpeer` and the like, `dns`, `routing/reprovide`, `provide/clear`: what clients of older Kubo call.

Kubo moved the first five to `routing/*`, and has `name/resolve` do what `dns` did; they do the same here.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.daemon.rpc import routing  # noqa: F401 -- its commands are entered under their older names below
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.name import name_resolve
from zwerm.daemon.rpc.registry import COMMANDS, Context, argument, command, flag
from zwerm.daemon.rpc.routing import providing_of

MOVED: Final = ("findpeer", "findprovs", "get", "provide", "put")

for _word in MOVED:
    COMMANDS[f"dht/{_word}"] = dataclasses.replace(COMMANDS[f"routing/{_word}"], path=f"dht/{_word}")


@command(
    "dns",
    "Follow a domain to content",
    arguments=[argument("domain-name", "A domain with a DNSLink.", stdin=True)],
    options=[flag("recursive", "r", text="Follow names of names to the end.", default=True)],
)
async def dns(context: Context, domain_name: str, recursive: bool = True) -> dict[str, str]:
    if "." not in domain_name:
        raise CommandError(f"{domain_name!r} is no domain")
    return await name_resolve(context, domain_name, recursive)  # type: ignore[no-any-return]


@command("routing/reprovide", "Tell others again, now, what this node has")
async def routing_reprovide(context: Context) -> None:
    """Everything is told again by itself too; this is for who does not want to wait."""
    providing_of(context).tell_again()


@command("bitswap/reprovide", "Tell others again, now, what this node has")
async def bitswap_reprovide(context: Context) -> None:
    providing_of(context).tell_again()


@command("provide/clear", "Forget what waits to be told to others for the first time")
async def provide_clear(context: Context) -> int:
    """Return how many there were; they are told when everything is told again."""
    return providing_of(context).clear_pending()
