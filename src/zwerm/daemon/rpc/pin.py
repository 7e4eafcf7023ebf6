"""`pin/*`: what is kept (Kubo, "RPC API", `/api/v0/pin/add`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import FAST_PROVIDE, Context, argument, command, flag, option
from zwerm.daemon.rpc.text import moment_text

if TYPE_CHECKING:
    from zwerm.ipfs.pins.pin import Pin
    from zwerm.multiformats.cid import CID

MAX_NAME: Final = 255  # bytes of a pin's name, as in Kubo
_REPORT: Final = 0.5  # seconds between two progress items


@command(
    "pin/add",
    "Keep content until it is unpinned",
    arguments=[argument("ipfs-path", "What to keep.", variadic=True, stdin=True)],
    options=[
        flag("recursive", "r", text="With everything below it.", default=True),
        option("name", "n", text="A name for the pin."),
        flag("progress", text="Say how many blocks were looked at."),
        *FAST_PROVIDE,
    ],
)
async def pin_add(
    context: Context, ipfs_path: Sequence[str], recursive: bool = True, name: str = "", progress: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """Pin one after another; with `progress` counts come first."""
    check_pin_name(name)
    passed = 0

    def count(blocks: int) -> None:
        nonlocal passed
        passed = blocks

    pinned = []
    for path in ipfs_path:
        cid = await context.resolve(path)
        work = asyncio.ensure_future(
            _pin_or_want(context, cid, recursive=recursive, name=name, progress=count if progress else None)
        )
        try:
            while not (await asyncio.wait([work], timeout=_REPORT if progress else None))[0]:
                yield {"Progress": passed}
            await work
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait([work])
        pinned.append(context.text(cid))
    yield {"Pins": pinned} | ({"Progress": passed} if progress else {})


async def _pin_or_want(
    context: Context, cid: CID, *, recursive: bool, name: str, progress: Callable[[int], None] | None
) -> None:
    """Pin; what could not be had, at all or before the node stopped, is remembered and pinned when it can be."""
    from zwerm.ipfs.block import BlockNotFound
    from zwerm.node.wanted import Wanted

    node = context.node
    wanted = Wanted(node.database)
    if not await node.source.has(cid):
        await asyncio.to_thread(wanted.add, cid, recursive=recursive, name=name)
    try:
        await node.pins.add(node.source, cid, recursive=recursive, name=name, progress=progress)
    except BlockNotFound as error:
        await asyncio.to_thread(wanted.add, cid, recursive=recursive, name=name)
        raise CommandError(f"{error}; it stays wanted, and is pinned when somebody gives it (`pin wanted`)") from None
    except asyncio.CancelledError:
        if context.stopping is None or not context.stopping.is_set():  # whoever asked has given up
            await asyncio.to_thread(wanted.remove, cid)
        raise
    await asyncio.to_thread(wanted.remove, cid)


@command("pin/wanted", "List the pins that were asked for and could not be had yet")
async def pin_wanted(context: Context) -> dict[str, Any]:
    from zwerm.node.wanted import Wanted

    pins = await asyncio.to_thread(lambda: Wanted(context.node.database).list())
    return {
        "Wanted": [
            {
                "Cid": context.text(pin.cid),
                "Type": "recursive" if pin.recursive else "direct",
                "Name": pin.name,
                "Since": moment_text(pin.since),
            }
            for pin in pins
        ]
    }


def check_pin_name(name: str) -> None:
    """Refuse a name that Kubo would refuse."""
    size = len(name.encode("utf-8", "surrogateescape"))
    if size > MAX_NAME:
        raise CommandError(f"pin name of {size} bytes, expected at most {MAX_NAME}")


@command(
    "pin/rm",
    "Keep content no longer",
    arguments=[argument("ipfs-path", "What to unpin.", variadic=True, stdin=True)],
    options=[flag("recursive", "r", text="Pins that keep everything below, too.", default=True)],
)
async def pin_rm(context: Context, ipfs_path: Sequence[str], recursive: bool = True) -> dict[str, Any]:
    from zwerm.ipfs.pins.pin import NotPinned
    from zwerm.node.wanted import Wanted

    gone = []
    for path in ipfs_path:
        cid = await context.resolve(path)
        try:
            await context.node.with_room(partial(context.node.pins.remove, cid, recursive=recursive))
        except NotPinned:
            if not await asyncio.to_thread(Wanted(context.node.database).remove, cid):
                raise
        gone.append(context.text(cid))
    return {"Pins": gone}


@command(
    "pin/ls",
    "List what is kept",
    arguments=[argument("ipfs-path", "Only say how these are kept.", required=False, variadic=True, stdin=False)],
    options=[
        option("type", "t", text="direct, indirect, recursive or all.", default="all"),
        flag("quiet", "q", text="Print only the addresses.", display=True),
        option("name", "n", text="Only pins whose name has this in it."),
        flag("stream", "s", text="List pins as they are found."),
        flag("names", text="Show the names of pins."),
    ],
)
async def pin_ls(
    context: Context,
    ipfs_path: Sequence[str] = (),
    type_: str = "all",
    name: str = "",
    stream: bool = False,
    names: bool = False,
) -> AsyncIterator[dict[str, Any]]:
    """Yield all pins in one document, or with `stream` one document each."""
    if type_ not in ("all", "direct", "indirect", "recursive"):
        raise CommandError(f"invalid type {type_!r}, must be one of {{direct, indirect, recursive, all}}")
    names = names or bool(name)
    keys: dict[str, dict[str, str]] = {}
    async for pin in _pins(context, ipfs_path, type_, name):
        kind = f"indirect through {context.text(pin.via)}" if ipfs_path and pin.via is not None else pin.kind.value
        row = {"Type": kind, "Name": pin.name if names else ""}
        if stream:
            yield {"Cid": context.text(pin.cid)} | row
        else:
            keys[context.text(pin.cid)] = row
    if not stream:
        yield {"Keys": keys}


async def _pins(context: Context, paths: Sequence[str], kind: str, name: str) -> AsyncIterator[Pin]:
    from zwerm.ipfs.pins.pin import PinKind

    pins = context.node.pins
    if not paths:
        async for pin in pins.list(None if kind == "all" else PinKind(kind), name or None):
            yield pin
        return
    for path in paths:
        cid = await context.resolve(path)
        found = await pins.check(cid)
        if found is None or kind not in ("all", found.kind.value):
            raise CommandError(f"path '{path}' is not pinned")
        yield found


@command(
    "pin/update",
    "Move a pin to a newer version",
    arguments=[argument("from-path", "What is pinned now."), argument("to-path", "What to keep instead.")],
    options=[flag("unpin", text="Keep the old one no longer.", default=True), *FAST_PROVIDE],
)
async def pin_update(context: Context, from_path: str, to_path: str, unpin: bool = True) -> dict[str, Any]:
    node = context.node
    old, new = await context.resolve(from_path), await context.resolve(to_path)
    await node.pins.update(node.source, old, new, unpin=unpin)
    return {"Pins": [context.text(old), context.text(new)]}


@command(
    "pin/verify",
    "Check that everything kept is here and intact",
    arguments=[argument("ipfs-path", "Only check these pins.", required=False, variadic=True, stdin=False)],
    options=[
        flag("verbose", text="Tell of the pins that are whole, too."),
        flag("quiet", "q", text="Print only the addresses of broken pins.", display=True),
    ],
)
async def pin_verify(
    context: Context, ipfs_path: Sequence[str] = (), verbose: bool = False
) -> AsyncIterator[dict[str, Any]]:
    chosen = {await context.resolve(path) for path in ipfs_path}
    async for found in context.node.pins.verify():
        if (verbose or not found.ok) and (not chosen or found.cid in chosen):
            bad = [{"Cid": context.text(node.cid), "Err": node.error} for node in found.bad]
            yield {"Cid": context.text(found.cid), "Ok": found.ok, "BadNodes": bad}
