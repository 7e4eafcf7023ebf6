"""`key/*`: named keys, and signing with them (Kubo, "RPC API", `/api/v0/key/gen`).

Exporting is not offered over HTTP, as in Kubo: a secret leaves by the command line only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.rpc.body import Body, read_one
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.registry import (
    Context,
    OptionKind,
    RawStream,
    argument,
    command,
    file_argument,
    flag,
    option,
)
from zwerm.daemon.rpc.text import peer_text

if TYPE_CHECKING:
    from zwerm.identity.key_message import KeyType
    from zwerm.identity.keys import PrivateKey, PublicKey
    from zwerm.identity.peer_id import PeerId

_BASE: Final = option("ipns-base", text="How key IDs are written: b58mh, or a multibase.", default="base36")
_FORMAT: Final = option(
    "format",
    "f",
    text="libp2p-protobuf-cleartext or pem-pkcs8-cleartext.",
    default="libp2p-protobuf-cleartext",
)
_SIZE: Final = option(
    "size",
    "s",
    kind=OptionKind.INT,
    text="Bits of an RSA key: 2048, the only size made here; other types have one size.",
)
_LIMIT: Final = 64 << 20  # bytes of data that are signed; they are held in memory
_KEY_LIMIT: Final = 1 << 16  # bytes of a key file
_SIGNED_PREFIX: Final = b"libp2p-key signed message:"  # keeps such signatures apart from all others


def _row(name: str, peer_id: PeerId, base: str) -> dict[str, str]:
    return {"Name": name, "Id": peer_text(peer_id, base)}


@command(
    "key/gen",
    "Make a key",
    arguments=[argument("name", "What it is called.")],
    options=[
        option("type", "t", text="ed25519, rsa or secp256k1.", default="ed25519"),
        _SIZE,
        _BASE,
    ],
    repository_only=True,
)
async def key_gen(
    context: Context, name: str, type_: str = "ed25519", size: int | None = None, ipns_base: str = "base36"
) -> dict[str, str]:
    from zwerm.identity.peer_id import PeerId

    key = await asyncio.to_thread(context.node.keys.generate, name, _key_type(type_, size))
    return _row(name, PeerId.of(key.public), ipns_base)


def _key_type(name: str, size: int | None) -> KeyType:
    from zwerm.identity.key_message import KeyType

    kind = {"ed25519": KeyType.ED25519, "rsa": KeyType.RSA, "secp256k1": KeyType.SECP256K1}.get(name.lower())
    if kind is None:
        raise CommandError(f"key type {name!r}, expected ed25519, rsa or secp256k1")
    if kind is KeyType.RSA and size not in (None, -1, 2048):
        raise CommandError(f"key size {size}, expected 2048 with --type=rsa")
    return kind


@command(
    "key/list",
    "List the keys",
    options=[flag("l", text="Show their IDs too.", display=True), _BASE],
    repository_only=True,
)
async def key_list(context: Context, ipns_base: str = "base36") -> dict[str, Any]:
    return await _list(context, ipns_base)


async def _list(context: Context, ipns_base: str) -> dict[str, Any]:
    entries = await asyncio.to_thread(context.node.keys.entries)
    return {"Keys": [_row(entry.name, entry.peer_id, ipns_base) for entry in entries]}


@command(
    "key/ls",
    "List the keys",
    options=[flag("l", text="Show their IDs too.", display=True), _BASE],
    repository_only=True,
)
async def key_ls(context: Context, ipns_base: str = "base36") -> dict[str, Any]:
    """Kubo's newer name of `key/list`."""
    return await _list(context, ipns_base)


@command(
    "key/rotate",
    "Give the node a new identity",
    options=[
        option("oldkey", "o", text="Name under which the key it has now is kept."),
        option("type", "t", text="ed25519, rsa or secp256k1.", default="ed25519"),
        _SIZE,
    ],
    local_only=True,
    repository_only=True,
)
async def key_rotate(
    context: Context, oldkey: str = "", type_: str = "ed25519", size: int | None = None
) -> dict[str, str]:
    """Keep the old key among the named ones, then make the new one; a crash leaves the old one in force."""
    if not oldkey:
        raise UsageError("--oldkey is missing: a name under which the key is kept that the node has now")
    kind = _key_type(type_, size)
    identity = await asyncio.to_thread(context.node.repository.rotate_key, oldkey, kind)
    return {"ID": str(identity)}


@command(
    "key/rename",
    "Give a key another name",
    arguments=[argument("name", "Its name now."), argument("new-name", "Its new name.")],
    options=[flag("force", "f", text="Overwrite a key that has the new name."), _BASE],
    repository_only=True,
)
async def key_rename(
    context: Context,
    name: str,
    new_name: str,
    force: bool = False,
    ipns_base: str = "base36",
) -> dict[str, Any]:
    from zwerm.identity.peer_id import PeerId

    keys = context.node.keys
    replaced = await asyncio.to_thread(lambda: keys.rename(name, new_name, overwrite=force))
    peer_id = PeerId.of((await asyncio.to_thread(keys.find, new_name)).public)
    return {"Was": name, "Now": new_name, "Id": peer_text(peer_id, ipns_base), "Overwrite": replaced}


@command(
    "key/rm",
    "Forget keys, for ever",
    arguments=[argument("name", "Names of the keys.", variadic=True)],
    options=[flag("l", text="Show their IDs too.", display=True), _BASE],
    repository_only=True,
)
async def key_rm(context: Context, name: Sequence[str], ipns_base: str = "base36") -> dict[str, Any]:
    keys = context.node.keys
    for one in name:
        await asyncio.to_thread(keys.find, one)  # all are checked before the first is gone
    return {"Keys": [_row(one, await asyncio.to_thread(keys.remove, one), ipns_base) for one in name]}


@command(
    "key/import",
    "Keep a key that was exported",
    arguments=[argument("name", "What it is called here."), file_argument("key", "The exported key.")],
    options=[_FORMAT, flag("allow-any-key-type", text="Take ECDSA keys too.", default=False), _BASE],
    repository_only=True,
)
async def key_import(
    context: Context,
    name: str,
    body: Body,
    format_: str = "libp2p-protobuf-cleartext",
    allow_any_key_type: bool = False,
    ipns_base: str = "base36",
) -> dict[str, str]:
    from zwerm.core.errors import WireError
    from zwerm.identity.key_message import KeyType
    from zwerm.identity.keystore import FORMATS
    from zwerm.identity.peer_id import PeerId

    data = await read_one(body, _KEY_LIMIT)
    if format_ not in FORMATS:
        raise CommandError(f"key format {format_!r}, expected {' or '.join(FORMATS)}")
    try:
        key: PrivateKey = FORMATS[format_][1](data)
    except WireError as error:
        raise CommandError(f"that is no key in the form {format_}: {error}") from None
    if key.type is KeyType.ECDSA and not allow_any_key_type:
        raise CommandError("an ECDSA key; names are not signed with those, use --allow-any-key-type to keep it")
    await asyncio.to_thread(context.node.keys.add, name, key)
    return _row(name, PeerId.of(key.public), ipns_base)


@command(
    "key/export",
    "Write a secret key to a file",
    arguments=[argument("name", "Its name.")],
    options=[option("output", "o", text="The file; NAME.key, or NAME.pem, otherwise.", display=True), _FORMAT],
    local_only=True,
    repository_only=True,
)
async def key_export(context: Context, name: str, format_: str = "libp2p-protobuf-cleartext") -> RawStream:
    data = await asyncio.to_thread(context.node.keys.export_key, name, format_)

    async def once() -> AsyncGenerator[bytes, None]:
        yield data

    return RawStream(once(), len(data), "application/octet-stream")


@command(
    "key/sign",
    "Sign data with a key",
    arguments=[file_argument("data", "What is signed.")],
    options=[option("key", "k", text="Name of the key; the node's own otherwise."), _BASE],
    experimental=True,
    repository_only=True,
)
async def key_sign(context: Context, body: Body, key: str = "", ipns_base: str = "base36") -> dict[str, Any]:
    from zwerm.identity.peer_id import PeerId
    from zwerm.multiformats import multibase

    found = await asyncio.to_thread(context.node.keys.find, key or "self")
    signature = found.sign(_SIGNED_PREFIX + await read_one(body, _LIMIT))
    row = _row(key or "self", PeerId.of(found.public), ipns_base)
    return {"Key": row, "Signature": multibase.encode(signature, "base64url")}


@command(
    "key/verify",
    "Check a signature",
    arguments=[file_argument("data", "What was signed.")],
    options=[
        option("key", "k", text="Name of a key here, or the ID of anybody's; the node's own otherwise."),
        option("signature", "s", text="The signature, in a multibase."),
        _BASE,
    ],
    experimental=True,
    repository_only=True,
)
async def key_verify(
    context: Context, body: Body, key: str = "", signature: str = "", ipns_base: str = "base36"
) -> dict[str, Any]:
    from zwerm.identity.peer_id import PeerId
    from zwerm.multiformats import multibase

    if not signature:
        raise UsageError("option --signature is missing")
    name, public = await asyncio.to_thread(_public_key, context, key)
    valid = public.verify(multibase.decode(signature), _SIGNED_PREFIX + await read_one(body, _LIMIT))
    return {"Key": _row(name, PeerId.of(public), ipns_base), "SignatureValid": valid}


def _public_key(context: Context, key: str) -> tuple[str, PublicKey]:
    from zwerm.core.errors import WireError
    from zwerm.identity.keystore import KeyNotFound
    from zwerm.identity.peer_id import PeerId

    try:
        return key or "self", context.node.keys.find(key or "self").public
    except KeyNotFound:
        try:
            public = PeerId.from_text(key).public_key
        except WireError:
            public = None
        if public is None:
            raise
        return "", public
