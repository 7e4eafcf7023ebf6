"""`name/*`: names that are keys, published, followed and looked into (Kubo, "RPC API", `/api/v0/name/publish`)."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import WireError
from zwerm.daemon.rpc.body import Body, read_one
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, OptionKind, argument, command, file_argument, flag, option
from zwerm.daemon.rpc.text import peer_text
from zwerm.daemon.rpc.values import parse_duration

if TYPE_CHECKING:
    from zwerm.identity.keys import PrivateKey
    from zwerm.identity.peer_id import PeerId
    from zwerm.ipfs.ipld.path import ContentPath
    from zwerm.ipfs.ipns.record import Record

_BASE: Final = option("ipns-base", text="How key IDs are written: b58mh, or a multibase.", default="base36")
_RECORD_LIMIT: Final = 1 << 16  # bytes of an upload; a record has at most 10,240
_SECOND: Final = 1_000_000_000


@command(
    "name/publish",
    "Let a name point at content",
    arguments=[argument("ipfs-path", "Address, /ipfs/ or /ipns/ path, or the path of one of the node's files.")],
    options=[
        option("key", "k", text="Which key's name: its name or its ID.", default="self"),
        flag("resolve", text="See first that the path leads somewhere.", default=True),
        option("lifetime", "t", text="How long the record lives unless it is renewed.", default="48h"),
        option("ttl", text="How long others may keep an answer.", default="5m"),
        flag("quieter", "Q", text="Print the name only.", display=True),
        flag("v1compat", text="Write the fields of version 1 too, for old readers.", default=True),
        flag("allow-offline", text="Accepted as Kubo does: a name is always published here first.", display=True),
        flag("allow-delegated", text="Accepted as Kubo does.", display=True),
        option("sequence", kind=OptionKind.UINT, text="Sequence of the record; the next one otherwise."),
        _BASE,
    ],
)
async def name_publish(
    context: Context,
    ipfs_path: str,
    key: str = "self",
    resolve: bool = True,
    lifetime: str = "48h",
    ttl: str = "5m",
    v1compat: bool = True,
    sequence: int | None = None,
    ipns_base: str = "base36",
) -> dict[str, str]:
    """Sign and keep the record, and put it to others; while nobody takes it, that is tried again and again."""
    from zwerm.ipfs.ipns.publisher import Terms

    terms = Terms(
        lifetime=_nanoseconds("lifetime", lifetime, least=1),
        ttl=_nanoseconds("ttl", ttl),
        sequence=sequence,
        v1_compatible=v1compat,
    )
    secret = await asyncio.to_thread(_find_key, context, key)
    path = await _path(context, ipfs_path)
    if resolve:
        if path.namespace == "ipns":
            await context.node.names.resolve(path.root, offline=context.offline)
        else:
            await context.node.resolve(path)
    published = await context.node.names.publish(secret, path, terms, wait=not context.offline)
    return {"Name": peer_text(published.name, ipns_base), "Value": str(path)}


def _nanoseconds(name: str, text: str, least: int = 0) -> int:
    value = int(parse_duration(text) * _SECOND)
    if not least <= value < 1 << 62:
        raise CommandError(f"--{name} is {text!r}, expected a duration between {least} ns and a century")
    return value


def _find_key(context: Context, text: str) -> PrivateKey:
    from zwerm.identity.keystore import KeyNotFound
    from zwerm.ipfs.ipns.name import from_text

    keys = context.node.keys
    try:
        return keys.find(text)
    except KeyNotFound:
        try:
            found = keys.find_by_peer_id(from_text(text))
        except WireError:
            found = None
        if found is None:
            raise
        return found


async def _path(context: Context, text: str) -> ContentPath:
    from zwerm.ipfs.ipld.path import ContentPath

    if text.startswith(("/ipns/", "ipns://")):
        try:
            return ContentPath.from_text(text)
        except WireError as error:
            raise CommandError(f"invalid path {text!r}: {error}") from None
    return await context.content_path(text)


@command(
    "name/resolve",
    "Follow a name to content",
    arguments=[argument("name", "A key or a domain; the node's own name when not given.", required=False, stdin=True)],
    options=[
        flag("recursive", "r", text="Follow names of names to the end.", default=True),
        flag("nocache", "n", text="Ask the network even when an answer is still good."),
        option("dht-record-count", "dhtrc", kind=OptionKind.UINT, text="Accepted as Kubo does.", display=True),
        option("dht-timeout", "dhtt", text="How long to look, such as 30s; 0s: without an end.", default="1m0s"),
        flag("stream", "s", text="Accepted as Kubo does: the one answer is the best.", display=True),
    ],
)
async def name_resolve(
    context: Context,
    name: str | None = None,
    recursive: bool = True,
    nocache: bool = False,
    dht_timeout: str = "1m0s",
) -> dict[str, str]:
    """Return where the name points: with `recursive` below /ipfs/, otherwise one step further."""
    from zwerm.ipfs.ipld.path import ContentPath

    text = name or str(context.node.identity)
    text = text if text.startswith(("/ipns/", "ipns://")) else f"/ipns/{text}"
    try:
        asked = ContentPath.from_text(text)
    except WireError as error:
        raise CommandError(f"invalid name {name!r}: {error}") from None
    names = context.node.names
    async with asyncio.timeout(parse_duration(dht_timeout) or None):
        look = names.resolve if recursive else names.step
        found = await look(asked.root, fresh=nocache, offline=context.offline)
    return {"Path": str(found.path.child(*asked.segments))}


@command(
    "name/inspect",
    "Show what is in a record, and verify it",
    arguments=[file_argument("record", "The record: a file, or bytes from `routing get` or a gateway.")],
    options=[
        option("verify", text="Whose the record should be; its own key's when it carries one."),
        flag("dump", text="Show its bytes in hex too.", default=True),
    ],
)
async def name_inspect(_context: Context, body: Body, verify: str | None = None, dump: bool = True) -> dict[str, Any]:
    """Say what a record holds; with `verify`, or when it carries its key, also whether it can be believed now."""
    from zwerm.ipfs.ipns.name import from_text
    from zwerm.ipfs.ipns.record import Record

    encoded = await read_one(body, _RECORD_LIMIT)
    record = Record.parse(encoded)
    answer: dict[str, Any] = {
        "Entry": _entry(record),
        "PbSize": len(encoded),
        "SignatureType": "V1+V2" if record.signature_v1 else "V2",
        "HexDump": encoded.hex() if dump else "",
    }
    name = from_text(verify) if verify else _own_name(record)
    if name is not None:
        reason = _refusal(record, name)
        answer["Validation"] = {"Valid": reason is None, "Reason": reason or "", "Name": peer_text(name, "base36")}
    return answer


def _entry(record: Record) -> dict[str, Any]:
    from zwerm.ipfs.ipns import timestamp

    return {
        "Value": record.value.decode(errors="replace"),
        "ValidityType": 0,
        "Validity": timestamp.serialize(record.validity).decode(),
        "Sequence": record.sequence,
        "TTL": record.ttl,
        "PublicKey": base64.b64encode(record.public_key).decode(),
    }


def _own_name(record: Record) -> PeerId | None:
    from zwerm.identity.keys import PublicKey
    from zwerm.identity.peer_id import PeerId

    if not record.public_key:
        return None
    try:
        return PeerId.of(PublicKey.parse(record.public_key))
    except WireError:
        return None


def _refusal(record: Record, name: PeerId) -> str | None:
    import time

    try:
        record.verify(name, time.time_ns())
    except WireError as error:
        return str(error)
    return None
