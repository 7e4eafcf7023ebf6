"""`name/get` and `name/put`: signed records of names, as they travel (Kubo, "RPC API", `/api/v0/name/get`)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import WireError
from zwerm.daemon.rpc.body import Body, read_one
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.online import network_of
from zwerm.daemon.rpc.registry import Context, RawStream, argument, command, file_argument, flag
from zwerm.daemon.rpc.text import peer_text

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.ipfs.ipns.record import Record

MEDIA_TYPE: Final = "application/vnd.ipfs.ipns-record"
_UPLOAD_LIMIT: Final = 1 << 20  # bytes; a record has at most 10,240
_NAME: Final = argument("name", "The name: k51..., a peer ID, or either below /ipns/.")


async def newest_record(context: Context, name: PeerId) -> Record | None:
    """Return the best record of a name that is alive: the one that is here, or a newer one that others have."""
    from zwerm.ipfs.ipns.name import routing_key
    from zwerm.ipfs.ipns.record import Record
    from zwerm.ipfs.ipns.validator import newest

    found: list[Record] = []
    own = await context.node.names.known(name)
    if own is not None and own.validity > time.time_ns():
        found.append(own)
    network = context.node.network
    if network is not None and not context.offline:
        encoded = await network.ways.routing.find_value(routing_key(name))
        if encoded is not None:
            found.append(Record.parse(encoded))
    return newest(found)


@command("name/get", "Get the signed record of a name", arguments=[_NAME])
async def name_get(context: Context, name: str) -> RawStream:
    record = await newest_record(context, _parse(name))
    if record is None:
        raise CommandError(f"no record of {name} was found")

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield record.encoded

    return RawStream(chunks(), len(record.encoded), MEDIA_TYPE)


@command(
    "name/put",
    "Put a signed record of a name, also somebody else's",
    arguments=[_NAME, file_argument("record", "The record: bytes of `name get`.")],
    options=[
        flag("force", "f", text="Do not see first whether a newer one is known; others refuse what is not valid."),
        flag("allow-offline", text="Keep it here only."),
        flag("allow-delegated", text="Accepted as Kubo does: it is put by every way there is.", display=True),
        flag("quiet", "q", text="Print nothing.", display=True),
    ],
)
async def name_put(
    context: Context, name: str, body: Body, force: bool = False, allow_offline: bool = False
) -> dict[str, Any]:
    """Check it, keep it here, and put it to others."""
    from zwerm.ipfs.ipns.name import routing_key
    from zwerm.ipfs.ipns.validator import check

    peer = _parse(name)
    encoded = await read_one(body, _UPLOAD_LIMIT)
    try:
        record = check(peer, encoded, time.time_ns())
    except WireError as error:
        raise CommandError(f"record validation failed: {error}") from None
    if not force:
        known = await newest_record(context, peer)
        if known is not None and known.encoded != encoded and known.sequence >= record.sequence:
            message = f"existing IPNS record has sequence {known.sequence} >= new record sequence {record.sequence}"
            raise CommandError(f"{message}; --force puts it all the same")
    if not allow_offline:
        await network_of(context).ways.routing.put_value(routing_key(peer), encoded)
    with contextlib.suppress(WireError):
        await context.node.names.learn(peer, encoded)
    return {"Name": peer_text(peer, "base36"), "Value": record.value.decode(errors="replace")}


def _parse(text: str) -> PeerId:
    from zwerm.ipfs.ipns.name import from_text

    try:
        return from_text(text.removeprefix("/ipns/"))
    except WireError as error:
        raise UsageError(f"invalid IPNS name {text!r}: {error}") from None
